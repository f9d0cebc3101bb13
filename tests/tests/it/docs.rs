//! The documents name only files, folders and headings that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Extensions of files that the documents name without their whole path.
const NAMED: [&str; 8] = ["rs", "sql", "md", "j2", "py", "ts", "svg", "yaml"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below `folder` as paths relative to the root, without build results and hidden folders.
fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') || ["target", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}

fn all_files() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    files(&root(), "", &mut found);
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The text without its code blocks: their content is not prose.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchor that a heading has on the usual web pages: lower case, hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings =
        text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').map(str::trim));
    headings.map(anchor).collect()
}

/// Whether a word between backticks is meant as a path: a name with one of the known extensions, or something below a
/// folder of the root.
fn is_path(span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let extension = span.rsplit_once('.').map_or("", |(_, extension)| extension);
    let first = span.split('/').next().unwrap_or_default();
    let below_root = span.contains('/') && !first.is_empty() && root().join(first).is_dir();
    plain && !span.starts_with(['/', '.']) && (NAMED.contains(&extension) || below_root)
}

/// Whether `span` is a file or folder of the repository, from the root or shortened at its front.
fn exists(span: &str, files: &BTreeSet<String>) -> bool {
    root().join(span).exists()
        || files.iter().any(|file| file.strip_suffix(span).is_some_and(|front| front.ends_with('/')))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut broken = Vec::new();
    for file in all_files().iter().filter(|file| Path::new(file).extension().is_some_and(|end| end == "md")) {
        let text = prose(&read(file));
        let folder = Path::new(file).parent().unwrap();
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { PathBuf::from(file) } else { folder.join(path) };
            let full = root().join(&path);
            let found = match fs::read_to_string(&full) {
                Ok(text) if !heading.is_empty() => anchors(&text).contains(heading),
                _ => full.exists(),
            };
            if !found {
                broken.push(format!("{file}: {target}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_file_that_a_document_names_exists() {
    let files = all_files();
    let mut missing = Vec::new();
    for file in files.iter().filter(|file| Path::new(file).extension().is_some_and(|end| end == "md")) {
        let text = prose(&read(file));
        for span in text.split('`').skip(1).step_by(2).filter(|span| is_path(span)) {
            if !exists(span, &files) {
                missing.push(format!("{file}: {span}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_document_that_code_names_exists() {
    let files = all_files();
    let mut missing = Vec::new();
    let code = ["rs", "toml", "sql", "env", "yml", "yaml"];
    for file in &files {
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !code.contains(&extension) {
            continue;
        }
        let text = read(file);
        for rest in text.split("docs/").skip(1) {
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"._-/".contains(c)).unwrap_or(rest.len());
            let path = format!("docs/{}", rest[..end].trim_end_matches('.'));
            if Path::new(&path).extension().is_some_and(|end| end == "md") && !files.contains(&path) {
                missing.push(format!("{file}: {path}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_test_that_the_histories_name_exists() {
    let files = all_files();
    let is_rust = |file: &str| Path::new(file).extension().is_some_and(|end| end == "rs");
    let tests = files.iter().filter(|file| file.starts_with("tests/tests/it/") && is_rust(file));
    let code: String = tests.map(|file| read(file)).collect();
    let text = read("docs/histories.md");
    let named = text.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit_once('`'));
    let (found, missing): (Vec<_>, Vec<_>) =
        named.map(|(_, name)| name).partition(|name| code.contains(&format!("fn {name}(")));
    assert_eq!(missing, Vec::<&str>::new());
    assert!(!found.is_empty(), "the histories name no test");
}
