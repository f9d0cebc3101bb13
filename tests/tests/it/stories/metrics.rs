//! `docs/metrics.md` compared with both programs.

use std::collections::BTreeSet;
use std::path::Path;

use punctual_testkit::wait_for;

use super::TestStack;

/// Metric names in table rows with one of these marks.
fn documented(marks: &str) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` "));
    rows.filter(|(_, rest)| rest.starts_with(|mark| marks.contains(mark)))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Metric names of a program.
async fn given(url: &str) -> BTreeSet<String> {
    let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, _)| name.to_owned()).collect()
}

/// Metric names in the source.
fn in_source(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_source(&path, names);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["counter!(", "gauge!(", "histogram!("] {
            let calls = text.split(word).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            names.extend(calls.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_metric_of_the_source_is_documented_and_no_other() {
    let mut names = BTreeSet::new();
    for folder in ["api/src", "worker/src", "queue/src", "core/src", "telemetry/src"] {
        in_source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut names);
    }
    assert_eq!(names, documented("●○"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_programs_give_the_metrics_that_are_documented() {
    let stack = TestStack::open(1, |programs| programs).await;
    let worker = stack.programs.worker().await;
    let start = stack.starts().await.remove(0);
    let booking = stack.book("a key", &start).await;
    stack.wait_for_confirmation(&booking, |mail| mail["state"] == "sent").await;
    let (always, known) = (documented("●"), documented("●○"));
    let seen = wait_for("the metrics that always exist", async || {
        let mut seen = given(worker.url()).await;
        seen.extend(given(stack.api.metrics_url()).await);
        let missing: Vec<String> = always.difference(&seen).cloned().collect();
        if missing.is_empty() { Ok(seen) } else { Err(missing) }
    })
    .await;
    assert_eq!(
        seen.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "given and not documented"
    );
    for name in
        ["http_requests_total", "http_request_duration_seconds", "mails_total", "queue_job_outcomes_total"]
    {
        assert!(seen.contains(name), "{name}");
    }
}
