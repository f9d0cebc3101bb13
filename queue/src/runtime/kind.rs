//! Kinds of jobs: payload type, handler and hook.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use apalis::layers::catch_panic::CatchPanicLayer;
use apalis::layers::tracing::{OnFailure, TraceLayer};
use apalis_core::error::{AbortError, BoxDynError};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::extensions::Extensions;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::service::IntoWorkerService;
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tower::Service;

use super::backend::{Feed, Reporter};
use crate::context::JobContext;
use crate::error::BoxError;
use crate::finish_reason::FinishReason;
use crate::job::Payload;
use crate::job_info::JobInfo;
use crate::outcome::Outcome;

/// A job that the queue is ending, for [`Kind::on_final`].
#[derive(Debug, Clone)]
pub struct FinalJob {
    /// Its facts as claimed.
    pub info: JobInfo,
    /// Its stored payload.
    pub args: serde_json::Value,
    /// Why it ends.
    pub why: FinishReason,
}

/// An action that a hook runs after the job's end is committed, such as to count it.
pub type AfterCommit = Option<Box<dyn FnOnce() + Send>>;
/// The future of a hook: `Box::pin(async move { … })`.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<AfterCommit, BoxError>> + Send + 'a>>;
pub(crate) type Hook =
    Arc<dyn for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync>;
pub(crate) type Run = Pin<Box<dyn Future<Output = ()> + Send>>;
type Start = Box<dyn FnOnce(Extensions, Reporter, Duration) -> (Box<dyn Sink>, Run) + Send>;

/// Starts claimed jobs of one kind.
pub(crate) trait Sink: Send + Sync {
    /// Decodes the payload and hands the job to the kind's apalis worker.
    fn feed(&self, ctx: JobContext) -> Result<(), serde_json::Error>;
}

struct FeedSink<P> {
    tasks: mpsc::UnboundedSender<Task<P>>,
    data: Extensions,
}

impl<P: Payload> Sink for FeedSink<P> {
    fn feed(&self, ctx: JobContext) -> Result<(), serde_json::Error> {
        let payload = <P as serde::Deserialize>::deserialize(&ctx.claimed().args)?;
        let id = u64::try_from(ctx.id().0).unwrap_or_default();
        let attempt = usize::try_from(ctx.attempt().saturating_sub(1)).unwrap_or_default();
        let mut data = self.data.clone();
        data.insert(ctx);
        let task =
            TaskBuilder::new(payload).with_data(data).task_id(TaskId::from_int(id)).attempt(attempt).build();
        // Never fails: the apalis worker of the kind ends only after this sender is dropped.
        let _ = self.tasks.send(task);
        Ok(())
    }
}

/// A kind of job with its handler, an apalis task function: `async fn(payload, …) -> Result<Outcome, E>` whose further
/// arguments are a [`JobContext`] and `Data<T>` of what [`super::Builder::data`] was given.
pub struct Kind {
    pub(crate) name: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) hook: Option<Hook>,
    pub(crate) retries_poison: bool,
    pub(crate) start: Start,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Kind {
    /// A kind whose jobs `handler` runs, inside apalis' tracing and catch-panic layers.
    pub fn new<P, H, S>(handler: H) -> Self
    where
        P: Payload,
        H: IntoWorkerService<Feed<P>, S, Task = Task<P>, Backend = Feed<P>> + Send + 'static,
        S: Service<Task<P>, Response = Outcome> + Send + 'static,
        S::Error: Into<BoxDynError> + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let payload = PhantomData::<fn() -> P>;
        let start: Start = Box::new(move |data, reports, timeout| {
            let _ = payload;
            let (tasks, feed) = mpsc::unbounded_channel();
            let worker = WorkerBuilder::new(P::KIND)
                .backend(Feed::<P>::new(feed, reports, timeout))
                .layer(
                    TraceLayer::new()
                        .make_span_with(span::<P>)
                        .on_request(log_start::<P>)
                        .on_response(log_return)
                        .on_failure(LogFailure),
                )
                .layer(CatchPanicLayer::<_, AbortError>::with_panic_handler(panicked))
                .build::<H, S, Feed<P>>(handler);
            let run: Run = Box::pin(async move {
                if let Err(error) = worker.run().await {
                    tracing::error!(kind = P::KIND, error = %error, "the apalis worker of a kind ended");
                }
            });
            (Box::new(FeedSink { tasks, data }), run)
        });
        Self { name: P::KIND, queue: P::QUEUE, timeout: P::TIMEOUT, hook: None, retries_poison: false, start }
    }

    /// Timeout of a run, instead of [`Payload::TIMEOUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Retries a job of this kind until it expires, for any number of deaths of its worker process: from the third
    /// consecutive death on with growing pauses (15 s up to 1 h), and alone in its process. For handlers that can tell
    /// by their own records whether a side effect may have happened. Without this such a job is discarded as poison.
    #[must_use]
    pub fn retry_poison_until_expiry(mut self) -> Self {
        self.retries_poison = true;
        self
    }

    /// Called in the transaction in which the queue ends a job of this kind without success, before the job's row is
    /// locked. An error rolls the transaction back and it is retried, so the job never ends without the hook. It is also
    /// rolled back when another worker owns the job: have no effects except through this connection, and by what the hook
    /// returns, which runs after the commit. Not called for a job
    /// that its owner cancelled while it waited ([`crate::cancel()`]: the owner changes its rows in that transaction), nor
    /// for a kind that no worker handles: see [`super::Builder::on_unknown`].
    #[must_use]
    pub fn on_final<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.hook = Some(Arc::new(hook));
        self
    }
}

fn log_start<P>(_: &Task<P>, _: &tracing::Span) {
    tracing::debug!("job begins");
}

fn log_return(outcome: &Outcome, took: Duration, span: &tracing::Span) {
    span.record("outcome", outcome.as_str());
    if matches!(outcome, Outcome::RetryAt { .. } | Outcome::Fail(_)) {
        span.record("failed", true);
    }
    tracing::debug!(?took, "job returned");
}

/// Replaces apalis' own hook, which logs the error's text: that may contain personal data.
#[derive(Debug, Clone, Copy)]
struct LogFailure;

impl<E> OnFailure<E> for LogFailure {
    fn on_failure(&mut self, _: &E, took: Duration, span: &tracing::Span) {
        span.record("outcome", "error");
        span.record("failed", true);
        tracing::debug!(?took, "job failed");
    }
}

/// A panic is a failed attempt.
fn panicked(panic: &Box<dyn Any + Send>) -> AbortError {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    AbortError::new(format!("panicked: {}", text.unwrap_or_default()))
}

/// The span of a run. It has ids only, never a payload or an error's text.
fn span<P: Payload>(task: &Task<P>) -> tracing::Span {
    let ctx = task.data().get::<JobContext>();
    let info = ctx.map(JobContext::info);
    tracing::info_span!(
        "job",
        kind = P::KIND,
        job_id = info.map(|info| info.id.0),
        attempt = info.map(|info| info.attempt),
        lease_seq = info.map(|info| info.lease_seq),
        outcome = tracing::field::Empty,
        failed = tracing::field::Empty,
        traceparent = info.and_then(|info| info.trace.as_ref()).map(|trace| trace.traceparent.as_str()),
    )
}
