//! Half-open ranges of instants.

use chrono::{DateTime, TimeDelta, Utc};

/// A range of instants `[start, end)` that is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Span {
    /// The span `[start, end)`; `None` when it would be empty.
    #[must_use]
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// First instant.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// First instant after it.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// Whether `other` lies within this span.
    #[must_use]
    pub fn contains(&self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share an instant; spans that only touch do not.
    #[must_use]
    pub fn overlaps(&self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The span extended by the given minutes on either side.
    #[must_use]
    pub fn padded(&self, before_min: u32, after_min: u32) -> Self {
        Self {
            start: self.start - TimeDelta::minutes(i64::from(before_min)),
            end: self.end + TimeDelta::minutes(i64::from(after_min)),
        }
    }
}

/// The union of the spans as disjoint, sorted spans; touching ones are merged.
pub(super) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// `from` without `taken`; both are disjoint and sorted.
pub(super) fn subtract(from: &[Span], taken: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(from.len());
    for &span in from {
        let mut start = span.start;
        let first = taken.partition_point(|t| t.end <= span.start);
        for t in taken[first..].iter().take_while(|t| t.start < span.end) {
            left.extend(Span::new(start, t.start));
            start = start.max(t.end);
        }
        left.extend(Span::new(start, span.end));
    }
    left
}
