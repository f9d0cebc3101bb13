//! The source from which an apalis worker takes the jobs of one kind, and the layer under which they run.
//!
//! apalis asks a [`Feed`] for tasks; the dispatcher puts in only what it has a free permit for, so nothing is read
//! ahead, and a feed never reports an error: no fault of Postgres or Redis can stop a worker. [`RunLayer`] is the
//! backend's middleware, hence outside all other layers: it spawns each job, stops it when it must be stopped (tower's
//! timeout layer would drop a job past its point of no return), and hands its end to the dispatcher.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tower::{Layer, Service};

use super::judge::Verdict;
use crate::context::{JobContext, StopReason};
use crate::error::BoxError;
use crate::job::{JobId, Payload};
use crate::outcome::Outcome;

/// The end of a lease, on its way to the database.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ctx: JobContext,
    pub(crate) end: LeaseEnd,
}

/// How a lease ended.
#[derive(Debug)]
pub(crate) enum LeaseEnd {
    /// The job ran so long and ended so.
    Ran(Duration, RunEnd),
    /// It was not begun.
    Unrun(Verdict),
}

/// Where ends of leases go: to be written down, and back to the dispatcher, whose permit is free again.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) settler: mpsc::UnboundedSender<Report>,
    pub(crate) freed: mpsc::UnboundedSender<JobId>,
}

impl Reporter {
    /// The receivers outlive all runs; if they are gone the process is leaving at once.
    pub(crate) fn report(&self, ctx: JobContext, end: LeaseEnd) {
        let id = ctx.id();
        let _ = self.settler.send(Report { ctx, end });
        let _ = self.freed.send(id);
    }
}

/// Reports the end of a run, also when dropping the handler's future panicked.
struct Reporting {
    ctx: JobContext,
    reporter: Reporter,
    began: Instant,
    end: Option<RunEnd>,
}

impl Drop for Reporting {
    fn drop(&mut self) {
        let end =
            self.end.take().unwrap_or_else(|| RunEnd::Returned(Err("panicked while it was stopped".into())));
        self.reporter.report(self.ctx.clone(), LeaseEnd::Ran(self.began.elapsed(), end));
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum RunEnd {
    Returned(Result<Outcome, BoxError>),
    Stopped(StopReason),
}

/// The [`Backend`] of one kind of job.
#[derive(Debug)]
pub struct Feed<P> {
    tasks: mpsc::UnboundedReceiver<Task<P>>,
    layer: RunLayer,
}

impl<P: Payload> Feed<P> {
    pub(crate) fn new(
        tasks: mpsc::UnboundedReceiver<Task<P>>,
        reporter: Reporter,
        timeout: Duration,
    ) -> Self {
        Self { tasks, layer: RunLayer { reporter, timeout } }
    }
}

impl<P: Payload> Backend for Feed<P> {
    type Task = Task<P>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<P>, Infallible>>> {
        let task = std::task::ready!(self.tasks.poll_recv(cx));
        if task.is_none() {
            // The dispatcher is gone: apalis ends a worker only once it was told to stop.
            let _ = worker.stop();
        }
        Poll::Ready(task.map(Ok))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl<P: Payload> BackendConfig for Feed<P> {
    type Args = P;
    type Id = JobId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = RunLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> RunLayer {
        self.layer.clone()
    }
}

/// Spawns each job and reports its end.
#[derive(Debug, Clone)]
pub struct RunLayer {
    reporter: Reporter,
    timeout: Duration,
}

impl<S> Layer<S> for RunLayer {
    type Service = RunService<S>;

    fn layer(&self, inner: S) -> RunService<S> {
        RunService { inner, layer: self.clone() }
    }
}

/// The service of [`RunLayer`].
#[derive(Debug, Clone)]
pub struct RunService<S> {
    inner: S,
    layer: RunLayer,
}

impl<S, P> Service<Task<P>> for RunService<S>
where
    S: Service<Task<P>, Response = Outcome>,
    S::Error: Into<BoxDynError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxDynError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<P>) -> Self::Future {
        let ctx = task.data().get::<JobContext>().cloned();
        let run = self.inner.call(task);
        let RunLayer { reporter, timeout } = self.layer.clone();
        // Aborted with the worker: a process that leaves at once leaves nothing running behind.
        let spawned = AbortOnDropHandle::new(tokio::spawn(async move {
            let Some(ctx) = ctx else { return };
            let mut reporting = Reporting { ctx: ctx.clone(), reporter, began: Instant::now(), end: None };
            reporting.end = Some(drive(run, &ctx, timeout).await);
        }));
        Box::pin(async move { Ok(spawned.await?) })
    }
}

/// Runs a job to its end, or drops it where it must be stopped and still may be.
async fn drive<F, E>(run: F, ctx: &JobContext, timeout: Duration) -> RunEnd
where
    F: Future<Output = Result<Outcome, E>>,
    E: Into<BoxDynError>,
{
    tokio::pin!(run);
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut timed = true;
    loop {
        tokio::select! {
            biased;
            end = &mut run => return RunEnd::Returned(end.map_err(Into::into)),
            reason = ctx.stopped() => return RunEnd::Stopped(reason),
            () = &mut deadline, if timed => {
                // Past its point of no return it goes on; otherwise the next turn sees it stopped.
                timed = false;
                ctx.stop(StopReason::TimedOut);
            }
        }
    }
}
