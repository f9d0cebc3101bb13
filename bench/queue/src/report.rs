//! The table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::measure::{BATCH, Latency, Measured, Sizes};

/// The whole report in Markdown.
pub fn render(machine: &str, sizes: &Sizes, results: &[Measured]) -> String {
    let mut text = format!("{machine}\n");
    let mut row = |name: &str, cell: &dyn Fn(&Measured) -> String| {
        let cells: Vec<String> = results.iter().map(cell).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    row("", &|m| format!("{} {}", m.which.name(), m.which.version()));
    row("---", &|_| "---:".to_owned());
    let backlog = grouped(f64::from(sizes.backlog));
    let ours = results.first();
    let rate = |value: fn(&Measured) -> f64| {
        move |m: &Measured| {
            let ratio = ours.map_or(1.0, |ours| value(m) / value(ours));
            format!("{} ({})", grouped(value(m)), share(ratio))
        }
    };
    let of_empty = |value: fn(&Measured) -> f64| {
        move |m: &Measured| format!("{} ({} of empty)", grouped(value(m)), share(value(m) / m.empty))
    };
    row("enqueue, one by one, jobs/s", &rate(|m| m.enqueue_one));
    row(&format!("enqueue, {} at once, jobs/s", grouped(f64::from(BATCH))), &rate(|m| m.enqueue_many));
    row("work, empty queue, jobs/s", &rate(|m| m.empty));
    row(&format!("work, {backlog} due, jobs/s"), &of_empty(|m| m.due));
    row(&format!("work, {backlog} due + {backlog} scheduled, jobs/s"), &of_empty(|m| m.due_and_scheduled));
    row("commit to start, notified, p50 / p99", &|m| latency(Some(m.notified)));
    row("commit to start, polling each second, p50 / p99", &|m| latency(m.polled));
    text
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
