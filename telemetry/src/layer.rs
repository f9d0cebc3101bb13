//! Gives every span its place in a trace, and records the spans of those that are sampled.

use tracing::span::{Attributes, Record};
use tracing::{Event, Id, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::context::Context;
use crate::otlp::Exporter;
use crate::recording::{Fields, Parent, Recording, now};

/// The layer.
pub struct Traces {
    exporter: Option<Exporter>,
    /// A trace is sampled when the lower half of its id is below this, so that all programs with one ratio agree.
    below: u64,
}

impl Traces {
    /// With a share of traces from 0 to 1.
    pub fn new(exporter: Option<Exporter>, ratio: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a cast from a fraction saturates")]
        #[expect(clippy::cast_sign_loss, reason = "a ratio is not negative")]
        #[expect(clippy::cast_precision_loss, reason = "the last bits of a share do not matter")]
        let below = (ratio * u64::MAX as f64) as u64;
        Self { exporter, below }
    }

    /// The context of a new span: the parent's trace, or one of its own.
    fn place(&self, parent: Option<Context>) -> Context {
        let trace_id = parent.map_or_else(|| rand::random_range(1..=u128::MAX), |parent| parent.trace_id);
        let asked = parent.is_none_or(|parent| parent.sampled);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        let sampled = asked && (trace_id as u64) <= self.below && self.below > 0;
        Context { trace_id, span_id: rand::random_range(1..=u64::MAX), sampled }
    }
}

impl<S> Layer<S> for Traces
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: layer::Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let around = || span.parent().and_then(|parent| parent.extensions().get::<Context>().copied());
        if self.exporter.is_none() {
            let mut named = Parent::default();
            attributes.record(&mut named);
            let context = self.place(named.0.or_else(around));
            span.extensions_mut().insert(context);
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = fields.parent.or_else(around);
        let context = self.place(parent);
        let recording = Recording::begin(context, parent.map(|parent| parent.span_id), span.name(), fields);
        let mut extensions = span.extensions_mut();
        extensions.insert(context);
        if context.sampled {
            extensions.insert(recording);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: layer::Context<'_, S>) {
        if self.exporter.is_none() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        if let Some(recording) = span.extensions_mut().get_mut::<Recording>() {
            let mut fields = Fields::default();
            values.record(&mut fields);
            recording.learn(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: layer::Context<'_, S>) {
        if self.exporter.is_none() {
            return;
        }
        let Some(span) = ctx.event_span(event) else { return };
        if let Some(recording) = span.extensions_mut().get_mut::<Recording>() {
            let mut fields = Fields::default();
            event.record(&mut fields);
            recording.failed |= *event.metadata().level() == Level::ERROR;
            if event.metadata().target() == "access" {
                fields.attributes.retain(|(name, _)| *name != "message");
                recording.learn(fields);
            } else {
                recording.happened(fields);
            }
        }
    }

    fn on_close(&self, id: Id, ctx: layer::Context<'_, S>) {
        let (Some(exporter), Some(span)) = (&self.exporter, ctx.span(&id)) else { return };
        if let Some(mut recording) = span.extensions_mut().remove::<Recording>() {
            recording.ended = now();
            exporter.take(recording);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(trace_id: u128, sampled: bool) -> Context {
        Context { trace_id, span_id: 7, sampled }
    }

    #[test]
    fn a_child_is_of_its_parents_trace_and_has_an_id_of_its_own() {
        let child = Traces::new(None, 1.0).place(Some(context(42, true)));
        assert_eq!((child.trace_id, child.sampled), (42, true));
        assert_ne!(child.span_id, 7);
    }

    #[test]
    fn what_a_client_does_not_record_is_not_recorded() {
        assert!(!Traces::new(None, 1.0).place(Some(context(42, false))).sampled);
    }

    #[test]
    fn all_none_or_a_share_of_the_traces_is_recorded_and_all_programs_agree_which() {
        let (all, none) = (Traces::new(None, 1.0), Traces::new(None, 0.0));
        assert!(all.place(None).sampled && all.place(Some(context(u128::MAX, true))).sampled);
        assert!(!none.place(None).sampled && !none.place(Some(context(1, true))).sampled);
        let (api, worker) = (Traces::new(None, 0.25), Traces::new(None, 0.25));
        let mut sampled = 0;
        for _ in 0..4000 {
            let here = api.place(None);
            sampled += u32::from(here.sampled);
            assert_eq!(worker.place(Some(context(here.trace_id, true))).sampled, here.sampled);
        }
        assert!((700..1300).contains(&sampled), "{sampled} of 4000 at a quarter");
    }
}
