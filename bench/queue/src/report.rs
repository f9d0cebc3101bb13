//! The table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::measure::{BATCH, Faults, Latency, Measured, Pressure, Recovery, Sizes, Speed};

/// The whole report in Markdown.
pub fn render(machine: &str, sizes: &Sizes, results: &[Measured]) -> String {
    let mut text = format!("{machine}\n");
    row(&mut text, "", results, |m| format!("{} {}", m.which.name(), m.which.version()));
    row(&mut text, "---", results, |_| "---:".to_owned());
    let speeds: Vec<&Speed> = results.iter().filter_map(|m| m.speed.as_ref()).collect();
    if !speeds.is_empty() {
        speed_rows(&mut text, sizes, &speeds);
    }
    let faults: Vec<&Faults> = results.iter().filter_map(|m| m.faults.as_ref()).collect();
    if !faults.is_empty() {
        fault_rows(&mut text, sizes, &faults);
    }
    let pressure: Vec<&Pressure> = results.iter().filter_map(|m| m.pressure.as_ref()).collect();
    if !pressure.is_empty() {
        pressure_rows(&mut text, sizes, &pressure);
    }
    text
}

fn row<T>(text: &mut String, name: &str, results: &[T], cell: impl Fn(&T) -> String) {
    let cells: Vec<String> = results.iter().map(cell).collect();
    let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
}

fn fault_rows(text: &mut String, sizes: &Sizes, results: &[&Faults]) {
    let jobs = grouped(f64::from(sizes.span));
    let mut row = |name: &str, cell: fn(&&Faults) -> String| row(text, name, results, cell);
    row(&format!("one of two workers killed: {jobs} jobs done after"), |f| recovery(f.killed));
    row(&format!("database crashes: {jobs} jobs done after"), |f| recovery(f.crashed));
}

fn pressure_rows(text: &mut String, sizes: &Sizes, results: &[&Pressure]) {
    let jobs = grouped(f64::from(sizes.span));
    let mut row = |name: &str, cell: fn(&&Pressure) -> String| row(text, name, results, cell);
    row("few connections left, jobs/s", |f| grouped(f.few_connections));
    row(&format!("long transaction and {jobs} dead rows, jobs/s"), |f| grouped(f.long_transaction));
    row("one job of 1,000 takes a second, jobs/s", |f| grouped(f.slow_jobs));
}

fn recovery(recovery: Recovery) -> String {
    match recovery {
        Recovery::After(took) => format!("{:.1} s", took.as_secs_f64()),
        #[expect(clippy::cast_precision_loss, reason = "millions of jobs are exact in an f64")]
        Recovery::Missing(jobs) => format!("{} missing after 2 min", grouped(jobs as f64)),
    }
}

fn speed_rows(text: &mut String, sizes: &Sizes, results: &[&Speed]) {
    let mut row = |name: &str, cell: &dyn Fn(&Speed) -> String| row(text, name, results, |speed| cell(speed));
    let backlog = grouped(f64::from(sizes.backlog));
    let ours = results.first();
    let rate = |value: fn(&Speed) -> f64| {
        move |m: &Speed| {
            let ratio = ours.map_or(1.0, |ours| value(m) / value(ours));
            format!("{} ({})", grouped(value(m)), share(ratio))
        }
    };
    let of_empty = |value: fn(&Speed) -> f64| {
        move |m: &Speed| format!("{} ({} of empty)", grouped(value(m)), share(value(m) / m.empty))
    };
    row("enqueue, one by one, jobs/s", &rate(|m| m.enqueue_one));
    row(&format!("enqueue, {} at once, jobs/s", grouped(f64::from(BATCH))), &rate(|m| m.enqueue_many));
    row("work, empty queue, jobs/s", &rate(|m| m.empty));
    row(&format!("work, {backlog} due, jobs/s"), &of_empty(|m| m.due));
    row(&format!("work, {backlog} due + {backlog} scheduled, jobs/s"), &of_empty(|m| m.due_and_scheduled));
    row("commit to start, notified, p50 / p99", &|m| latency(Some(m.notified)));
    row("commit to start, polling each second, p50 / p99", &|m| latency(m.polled));
}

fn share(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}

fn latency(latency: Option<Latency>) -> String {
    let millis = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1_000.0);
    latency.map_or_else(|| "–".to_owned(), |l| format!("{} / {} ms", millis(l.p50), millis(l.p99)))
}

/// A whole number with thousands separators.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_apart() {
        assert_eq!(grouped(999.6), "1,000");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(grouped(12.0), "12");
    }
}
