//! Charts of a queue's depth and throughput in the last hour, as SVG lines.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::operators::QueueSample;
use serde::Serialize;

/// Period of the charts.
pub const PERIOD: TimeDelta = TimeDelta::hours(1);
/// Samples further apart are not joined by a line.
const GAP: TimeDelta = TimeDelta::minutes(2);
/// Size of the chart, as in the template's viewBox.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 48.0;

/// A chart of one number over time.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The line, as the `d` of an SVG path; empty without samples.
    pub line: String,
    /// The line with the area below it.
    pub area: String,
    /// The largest number.
    pub most: i64,
    /// The last number.
    pub last: i64,
}

/// Draws `value` of the samples between an hour ago and `now`.
#[expect(clippy::cast_precision_loss, reason = "a place in a picture needs no more than a float has")]
pub fn draw(samples: &[QueueSample], now: DateTime<Utc>, value: impl Fn(&QueueSample) -> i64) -> Picture {
    let most = samples.iter().map(&value).max().unwrap_or(0);
    let scale = most.max(1) as f64;
    let runs = samples.chunk_by(|one, next| next.at - one.at <= GAP).map(|run| {
        let place = |sample: &QueueSample| {
            let age = (now - sample.at).num_milliseconds() as f64 / PERIOD.num_milliseconds() as f64;
            let height = value(sample) as f64 / scale;
            (WIDTH * (1.0 - age), 1.0 + (HEIGHT - 2.0) * (1.0 - height))
        };
        let (first, last) = (place(&run[0]).0, place(&run[run.len() - 1]).0);
        let line: Vec<String> = run.iter().map(place).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let line = line.join("L");
        (format!("M{line}"), format!("M{first:.1} {HEIGHT}L{line}L{last:.1} {HEIGHT}Z"))
    });
    let (line, area) = runs.unzip();
    Picture { line, area, most, last: samples.last().map_or(0, &value) }
}

/// Jobs that ended a minute, whatever the time between two samples.
pub fn a_minute(ended: i64, over_seconds: i32) -> i64 {
    if over_seconds == 0 { 0 } else { ended * 60 / i64::from(over_seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, available: i64) -> QueueSample {
        QueueSample {
            at: DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap(),
            scheduled: 0,
            available,
            running: 0,
            retryable: 0,
            discarded: 0,
            oldest_due_seconds: 0,
            over_seconds: 30,
            completed: 15,
            failed: 0,
        }
    }

    #[test]
    fn a_picture_is_a_line_for_each_time_that_was_looked_at() {
        let now = at(0, 0).at;
        let samples = [at(-3600, 10), at(-3570, 5), at(-30, 0), at(0, 4)];
        let picture = draw(&samples, now, |sample| sample.available);
        assert_eq!(picture.line, "M0.0 1.0L2.0 24.0M238.0 47.0L240.0 28.6");
        assert_eq!(picture.area, "M0.0 48L0.0 1.0L2.0 24.0L2.0 48ZM238.0 48L238.0 47.0L240.0 28.6L240.0 48Z");
        assert_eq!((picture.most, picture.last), (10, 4));
        assert_eq!(draw(&[], now, |sample| sample.available), Picture::default());
    }

    #[test]
    fn rates_are_by_the_minute() {
        assert_eq!([a_minute(15, 30), a_minute(15, 60), a_minute(0, 0)], [30, 15, 0]);
    }
}
