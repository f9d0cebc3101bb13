//! Independent implementations: Python's dkimpy and icalendar, where installed (`pip install -r tests/python.txt`,
//! which `.ci/run` does).

use std::io::Write as _;
use std::process::{Command, Stdio};

use punctual_testkit::require::{Tool, succeeds};

/// The output of the script for these bytes; `None`, with a notice, where Python lacks the module.
pub fn ask(module: &str, script: &str, argument: &str, input: &[u8]) -> Option<String> {
    if !succeeds("python3", &["-c", &format!("import {module}")]) {
        Tool::Python.skip(&format!("Python module {module} (pip install -r tests/python.txt)"));
        return None;
    }
    let mut python = Command::new("python3")
        .args(["-c", script, argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(input).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}
