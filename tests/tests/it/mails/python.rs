//! Programs that are not ours and know better: Python's dkimpy and icalendar, where they are installed
//! (`pip install -r tests/python.txt`, which `.ci/run` does).

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What the script prints, given these bytes; none, after a word about it, where Python lacks the module.
pub fn ask(module: &str, script: &str, argument: &str, input: &[u8]) -> Option<String> {
    let import = format!("import {module}");
    let has = Command::new("python3").args(["-c", &import]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        let line = format!("skipped, as python3 has no module {module} (pip install -r tests/python.txt)\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
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
