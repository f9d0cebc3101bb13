//! axe-core's rules of WCAG 2.2 AA on a page in the browser. Its package comes from npm, at the version of
//! `tests/axe/package-lock.json`; without npm the pages are opened, but no rules are checked.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use punctual_testkit::browser::Browser;
use serde_json::Value;

/// The rules' script; none where npm cannot be had.
fn script() -> Option<&'static str> {
    static SCRIPT: OnceLock<Option<String>> = OnceLock::new();
    let script = SCRIPT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("axe");
        let file = folder.join("node_modules/axe-core/axe.min.js");
        if !file.is_file() {
            let installed =
                Command::new("npm").args(["ci", "--silent", "--no-progress"]).current_dir(&folder).status();
            let required = std::env::var("PUNCTUAL_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
            assert!(installed.is_ok_and(|status| status.success()) || !required, "npm cannot get axe-core");
        }
        let script = std::fs::read_to_string(&file).ok();
        if script.is_none() {
            eprintln!("axe-core cannot be had from npm: its rules are skipped");
        }
        script
    });
    script.as_deref()
}

/// What of the page breaks a rule, as `rule: element`. Scripts of the page have to be on.
pub async fn violations(browser: &mut Browser) -> Vec<String> {
    let Some(script) = script() else { return Vec::new() };
    browser.evaluate(&format!("{script}; 'there'")).await.unwrap();
    let run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
        .then(found => JSON.stringify(found.violations.flatMap(rule =>
            rule.nodes.map(node => rule.id + ': ' + node.html + ' ' + node.failureSummary))))";
    let found: Value = serde_json::from_str(&browser.evaluate_promise(run).await.unwrap()).unwrap();
    let found = found.as_array().unwrap().iter();
    found.map(|violation| violation.as_str().unwrap().to_owned()).collect()
}
