//! Paths of the programs that cargo built with the running test.

use std::env;
use std::path::PathBuf;

/// Path of a `[[bin]]` of the test crate, which cargo has built together with the running test.
///
/// # Panics
/// When the running program is not a test of a crate with such a binary.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    if let Some(path) = env::var_os(format!("CARGO_BIN_EXE_{name}")) {
        return path.into();
    }
    // A test started directly: target/debug/deps/it-… has its programs in target/debug.
    let test = env::current_exe().expect("the path of the running test");
    let found = test.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run the tests with `cargo test`"))
}
