//! Gives every span its trace context, and records the spans of sampled traces.

use tracing::span::{Attributes, Record};
use tracing::{Event, Id, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::context::Context;
use crate::otlp::Exporter;
use crate::span::{Fields, ParentField, SpanData, now};

/// The `tracing` layer.
pub struct TraceLayer {
    exporter: Option<Exporter>,
    /// A trace is sampled if the lower 64 bits of its id are at most this, so all programs with the same ratio agree.
    sample_limit: u64,
}

impl TraceLayer {
    /// `ratio` is the share of traces to record, 0 to 1.
    pub fn new(exporter: Option<Exporter>, ratio: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a cast from a fraction saturates")]
        #[expect(clippy::cast_sign_loss, reason = "a ratio is not negative")]
        #[expect(clippy::cast_precision_loss, reason = "the last bits of a share do not matter")]
        let sample_limit = (ratio * u64::MAX as f64) as u64;
        Self { exporter, sample_limit }
    }

    /// The context of a new span: in the parent's trace, or in a new one.
    fn context_for(&self, parent: Option<Context>) -> Context {
        let trace_id = parent.map_or_else(|| rand::random_range(1..=u128::MAX), |parent| parent.trace_id);
        let wanted = parent.is_none_or(|parent| parent.sampled);
        #[expect(clippy::cast_possible_truncation, reason = "the lower 64 bits decide")]
        let sampled = wanted && (trace_id as u64) <= self.sample_limit && self.sample_limit > 0;
        Context { trace_id, span_id: rand::random_range(1..=u64::MAX), sampled }
    }
}

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: layer::Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let enclosing = || span.parent().and_then(|parent| parent.extensions().get::<Context>().copied());
        if self.exporter.is_none() {
            let mut field = ParentField::default();
            attributes.record(&mut field);
            let context = self.context_for(field.0.or_else(enclosing));
            span.extensions_mut().insert(context);
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = fields.parent.or_else(enclosing);
        let context = self.context_for(parent);
        let data = SpanData::start(context, parent.map(|parent| parent.span_id), span.name(), fields);
        let mut extensions = span.extensions_mut();
        extensions.insert(context);
        if context.sampled {
            extensions.insert(data);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: layer::Context<'_, S>) {
        if self.exporter.is_none() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            let mut fields = Fields::default();
            values.record(&mut fields);
            data.add_fields(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: layer::Context<'_, S>) {
        if self.exporter.is_none() {
            return;
        }
        let Some(span) = ctx.event_span(event) else { return };
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            let mut fields = Fields::default();
            event.record(&mut fields);
            data.failed |= *event.metadata().level() == Level::ERROR;
            if event.metadata().target() == "access" {
                fields.attributes.retain(|(name, _)| *name != "message");
                data.add_fields(fields);
            } else {
                data.add_event(fields);
            }
        }
    }

    fn on_close(&self, id: Id, ctx: layer::Context<'_, S>) {
        let (Some(exporter), Some(span)) = (&self.exporter, ctx.span(&id)) else { return };
        if let Some(mut data) = span.extensions_mut().remove::<SpanData>() {
            data.ended_at = now();
            exporter.export(data);
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
    fn a_child_has_its_parents_trace_id_and_its_own_span_id() {
        let child = TraceLayer::new(None, 1.0).context_for(Some(context(42, true)));
        assert_eq!((child.trace_id, child.sampled), (42, true));
        assert_ne!(child.span_id, 7);
    }

    #[test]
    fn a_trace_the_client_does_not_sample_is_not_recorded() {
        assert!(!TraceLayer::new(None, 1.0).context_for(Some(context(42, false))).sampled);
    }

    #[test]
    fn the_ratio_decides_how_many_traces_are_recorded_and_all_programs_agree_which() {
        let (all, none) = (TraceLayer::new(None, 1.0), TraceLayer::new(None, 0.0));
        assert!(all.context_for(None).sampled && all.context_for(Some(context(u128::MAX, true))).sampled);
        assert!(!none.context_for(None).sampled && !none.context_for(Some(context(1, true))).sampled);
        let (api, worker) = (TraceLayer::new(None, 0.25), TraceLayer::new(None, 0.25));
        let mut sampled = 0;
        for _ in 0..4000 {
            let here = api.context_for(None);
            sampled += u32::from(here.sampled);
            assert_eq!(worker.context_for(Some(context(here.trace_id, true))).sampled, here.sampled);
        }
        assert!((700..1300).contains(&sampled), "{sampled} of 4000 at a quarter");
    }
}
