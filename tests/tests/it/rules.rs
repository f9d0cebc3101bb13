//! Rules of CONTRIBUTING.md that the compiler does not check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PRODUCT: [&str; 6] = ["queue", "core", "telemetry", "outbound", "api", "worker"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Crates of this workspace that a crate depends on, as its manifest says.
fn used_by(krate: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
    let names = manifest.lines().filter_map(|line| line.strip_prefix("punctual-"));
    names.filter_map(|rest| rest.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

#[test]
fn no_product_crate_uses_the_api_the_worker_or_a_tool() {
    let product: BTreeSet<String> = PRODUCT.map(str::to_owned).into();
    for krate in PRODUCT {
        let used = used_by(krate);
        for forbidden in ["api", "worker"] {
            assert!(!used.contains(forbidden), "{krate} uses {forbidden}");
        }
        assert!(used.is_subset(&product), "{krate} uses a tool: {used:?}");
    }
}

/// Waiting for time makes a test slow where the machine is fast and wrong where it is slow. `wait_for` waits for a
/// condition; `lasting` keeps a fault going.
#[test]
fn no_test_sleeps() {
    let mut files = Vec::new();
    rust_files(&root().join("tests/tests"), &mut files);
    for folder in PRODUCT {
        rust_files(&root().join(folder).join("src"), &mut files);
    }
    let call = concat!("sleep", "(");
    let in_tests = |path: &Path, text: &str| -> usize {
        let path = path.strip_prefix(root()).unwrap();
        let test_file = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_stem().is_some_and(|stem| stem == "tests");
        let tests =
            if test_file { text } else { text.split_once("mod tests {").map_or("", |(_, tests)| tests) };
        tests.lines().filter(|line| line.contains(call) && !line.trim_start().starts_with("//")).count()
    };
    let sleeping: Vec<_> = files
        .iter()
        .filter(|path| in_tests(path, &fs::read_to_string(path).unwrap()) > 0)
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(sleeping, Vec::<String>::new(), "use punctual_testkit::wait_for");
}
