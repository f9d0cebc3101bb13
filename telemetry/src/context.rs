//! W3C Trace Context: the ids that tie a span to its trace.

use std::fmt;

use tracing::{Span, dispatcher};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

/// Ids of a span and its trace. `Display` writes the header `traceparent`, version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace_id: u128,
    /// The span within it.
    pub span_id: u64,
    /// Whether the trace's spans are recorded.
    pub sampled: bool,
}

impl Context {
    /// Reads a `traceparent`. Of an unknown version only the fields of version 00 are read, as the standard says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !lengths || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        if ![version, trace, span, flags].into_iter().all(plain) {
            return None;
        }
        let (trace_id, span_id) =
            (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, sampled })
    }

    /// The current span's.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::of(&Span::current())
    }

    /// This span's; `None` if the layer of [`crate::start`] does not see it.
    #[must_use]
    pub fn of(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| stored_in_registry(id, dispatch)).flatten()
    }
}

fn stored_in_registry(id: &tracing::Id, dispatch: &dispatcher::Dispatch) -> Option<Context> {
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    span.extensions().get::<Context>().copied()
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_survives_a_round_trip() {
        let context = Context::parse(EXAMPLE).unwrap();
        assert_eq!(
            (context.trace_id, context.span_id, context.sampled),
            (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7, true)
        );
        assert_eq!(context.to_string(), EXAMPLE);
    }

    #[test]
    fn a_later_version_may_have_more_fields() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02-what-will-be";
        assert!(!Context::parse(later).unwrap().sampled);
    }

    #[test]
    fn an_invalid_traceparent_is_refused() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473ß-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Context::parse(bad), None, "{bad}");
        }
    }
}
