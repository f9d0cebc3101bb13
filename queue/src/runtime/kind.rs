//! What a worker can run: one entry for each kind of job.

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
use crate::context::{JobContext, JobInfo};
use crate::error::BoxError;
use crate::job::{JobState, Payload};
use crate::outcome::Outcome;

/// Why the queue ended a job without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Its last attempt failed, with this error.
    Exhausted(String),
    /// Its handler said that it can't ever succeed.
    Failed(String),
    /// It was not begun before `expires_at`.
    Expired,
    /// The process that ran it died three times in a row.
    Poison,
    /// Its payload can't be read by this build, and why.
    Undecodable(String),
    /// Someone asked for it to be cancelled.
    Cancelled,
    /// An operator discarded it.
    Discarded,
    /// It was due for a day and no worker took its kind; only [`super::Builder::on_unknown`] sees this.
    Unknown,
}

impl Ended {
    /// The final state this leads to.
    #[must_use]
    pub fn state(&self) -> JobState {
        if *self == Self::Cancelled { JobState::Cancelled } else { JobState::Discarded }
    }

    /// The reason in words, as it is kept with the job.
    #[must_use]
    pub fn note(&self) -> String {
        match self {
            Self::Exhausted(error) => format!("the last attempt failed: {error}"),
            Self::Failed(why) => why.clone(),
            Self::Expired => "expired before it was begun".to_owned(),
            Self::Poison => "its process died three times".to_owned(),
            Self::Undecodable(error) => format!("the payload can't be read: {error}"),
            Self::Cancelled => "cancelled on request".to_owned(),
            Self::Discarded => "discarded by an operator".to_owned(),
            Self::Unknown => "no worker has taken its kind for a day".to_owned(),
        }
    }
}

/// A job that the queue is ending, for [`Kind::on_final`].
#[derive(Debug, Clone)]
pub struct FinalJob {
    /// Its facts.
    pub info: JobInfo,
    /// Its payload as stored.
    pub args: serde_json::Value,
    /// Why it ends.
    pub why: Ended,
}

/// What a hook returns: `Box::pin(async move { … })`.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;
pub(crate) type Hook =
    Arc<dyn for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync>;
pub(crate) type Run = Pin<Box<dyn Future<Output = ()> + Send>>;
type Start = Box<dyn FnOnce(Extensions, Reporter, Duration) -> (Box<dyn Sink>, Run) + Send>;

/// Where the dispatcher puts claimed jobs of one kind.
pub(crate) trait Sink: Send + Sync {
    /// Decodes the payload and starts the job.
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
        // The apalis worker of the kind ends only after this sender is gone.
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
    pub(crate) start: Start,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Kind {
    /// A kind whose jobs `handler` runs, under apalis' tracing and catch-panic layers.
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
                        .on_request(quiet_start::<P>)
                        .on_response(quiet_end)
                        .on_failure(QuietFailure),
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
        Self { name: P::KIND, queue: P::QUEUE, timeout: P::TIMEOUT, hook: None, start }
    }

    /// How long a run may take, instead of [`Payload::TIMEOUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Called in the very transaction in which the queue ends a job of this kind without success, before the job's row
    /// is locked. An error rolls it back and is tried again, so the job does not end without it; where another worker
    /// owns the job by now, it is rolled back too: do nothing in it but by this connection. Not called for a job that its owner cancelled while
    /// it waited ([`crate::cancel()`]: the owner's transaction is where its rows change), nor for one whose kind no
    /// worker takes any more: see [`super::Builder::on_unknown`].
    #[must_use]
    pub fn on_final<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a mut PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.hook = Some(Arc::new(hook));
        self
    }
}

fn quiet_start<P>(_: &Task<P>, _: &tracing::Span) {
    tracing::debug!("job begins");
}

fn quiet_end(outcome: &Outcome, took: Duration, span: &tracing::Span) {
    span.record("outcome", outcome.word());
    if matches!(outcome, Outcome::RetryAt { .. } | Outcome::Fail(_)) {
        span.record("failed", true);
    }
    tracing::debug!(?took, "job returned");
}

/// apalis' own would log the error's text, which can hold what no log may have.
#[derive(Debug, Clone, Copy)]
struct QuietFailure;

impl<E> OnFailure<E> for QuietFailure {
    fn on_failure(&mut self, _: &E, took: Duration, span: &tracing::Span) {
        span.record("outcome", "error");
        span.record("failed", true);
        tracing::debug!(?took, "job failed");
    }
}

/// A panic is a failure like any other: again with backoff.
fn panicked(panic: &Box<dyn Any + Send>) -> AbortError {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    AbortError::new(format!("panicked: {}", text.unwrap_or_default()))
}

/// The span of a run: ids only, never a payload or an error's text.
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
