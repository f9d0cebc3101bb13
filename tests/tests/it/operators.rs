//! Rules and dashboard name only metrics that exist, and every alert has a runbook.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const RULES: &str = "deploy/observability/rules.yml";
const DASHBOARD: &str = "deploy/observability/grafana/dashboards/punctual.json";
const KEDA: &str = "deploy/kubernetes/keda/scaledobject.yaml";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All Rust sources of a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Metric names in a text, without Prometheus' histogram suffixes.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| {
        ["http_", "queue_", "mail_", "mails_", "password_", "trace_", "database_", "pool_"]
            .iter()
            .any(|prefix| word.starts_with(prefix))
    });
    ours.map(|word| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word)
    })
    .collect()
}

#[test]
fn every_metric_of_the_rules_and_the_dashboard_is_counted_by_the_programs() {
    let mut code = String::new();
    for folder in ["api/src", "worker/src", "queue/src", "core/src", "telemetry/src"] {
        sources(&root().join(folder), &mut code);
    }
    for file in [RULES, DASHBOARD, KEDA] {
        let text = read(file);
        let named = metrics(&text);
        assert!(!named.is_empty(), "{file} names no metric");
        for metric in named {
            assert!(
                code.contains(&format!("\"{metric}\"")),
                "{file} names {metric}, which no program counts"
            );
        }
    }
}

/// The number behind `key`, up to the next thing that is no digit.
fn number(text: &str, key: &str) -> u64 {
    let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("no {key}"));
    let digits: String =
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// 9,000 half-open requests filled an api whose limit did not allow for the connections that it accepts.
#[test]
fn the_memory_limit_of_an_api_allows_for_all_connections_it_accepts() {
    let (env, pod) = (read("deploy/kubernetes/config.env"), read("deploy/kubernetes/api.yaml"));
    let (compose, defaults) = (read("docker-compose.yml"), read("defaults.env"));
    let needed = |settings: &str| {
        let connections = number(settings, "PUNCTUAL_API_MAX_CONNECTIONS");
        let threads = number(settings, "PUNCTUAL_PASSWORD_THREADS");
        15 + number(&defaults, "PUNCTUAL_API_SLOT_MEMORY_MIB=") + connections * 70 / 1024 + threads * 19
    };
    assert!(needed(&env) < number(&pod, "limits: { memory: "), "{} MiB", needed(&env));
    let api = compose.split_once("\n  api: &api\n").unwrap().1;
    assert!(needed(&compose) < number(api, "mem_limit: "), "{} MiB", needed(&compose));
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let (rules, docs) = (read(RULES), read("docs/operations.md"));
    let alerts: BTreeSet<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let runbooks: BTreeSet<_> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|h| h.starts_with("Punctual"))
        .collect();
    assert_eq!(alerts, runbooks);
    for alert in alerts {
        let link = format!("runbook_url: docs/operations.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&link), "{alert} does not lead to its runbook");
    }
}
