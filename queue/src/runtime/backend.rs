//! The source from which an apalis worker takes the jobs of one kind, and the layer under which they run.
//!
//! apalis asks a [`Feed`] for tasks. The dispatcher sends only tasks that have a permit, so nothing is prefetched. A
//! feed never reports an error, so no fault of Postgres or Redis stops a worker. [`RunLayer`] is the backend's
//! middleware, and so outside all other layers. It spawns each job, stops it when it must be stopped (tower's timeout
//! layer would drop a job past its point of no return), and reports its transition.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tower::{Layer, Service};

use super::resolve_outcome::{resolve_outcome, resolve_stop};
use crate::context::{JobContext, StopReason};
use crate::ids::JobId;
use crate::job::Payload;
use crate::outcome::Outcome;
use crate::store::transition::Transition;

/// The end of a lease, on its way to the settler.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ctx: JobContext,
    /// How long the handler ran; `None`: it was not started.
    pub(crate) ran: Option<Duration>,
    pub(crate) transition: Transition,
}

/// Sends the ends of leases to the settler and tells the dispatcher that a permit is free.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    reports: mpsc::UnboundedSender<Report>,
    permit_freed: Arc<Notify>,
}

impl Reporter {
    pub(crate) fn new(reports: mpsc::UnboundedSender<Report>, permit_freed: Arc<Notify>) -> Self {
        Self { reports, permit_freed }
    }

    /// Reports a job that was not started.
    pub(crate) fn not_started(&self, ctx: JobContext, transition: Transition) {
        self.send(Report { ctx, ran: None, transition });
    }

    /// The receiver outlives all runs, except in a process that stops at once.
    fn send(&self, report: Report) {
        report.ctx.set_ended();
        let _ = self.reports.send(report);
        self.permit_freed.notify_one();
    }
}

/// Reports the end of a run when dropped, also when dropping the handler's future panicked.
struct ReportOnDrop {
    ctx: JobContext,
    reporter: Reporter,
    started: Instant,
    transition: Option<Transition>,
}

impl Drop for ReportOnDrop {
    fn drop(&mut self) {
        let ctx = self.ctx.clone();
        let transition = self.transition.take().unwrap_or_else(|| {
            resolve_outcome(
                ctx.info(),
                Err("panicked while it was stopped".into()),
                ctx.now(),
                &mut rand::rng(),
            )
        });
        self.reporter.send(Report { ctx, ran: Some(self.started.elapsed()), transition });
    }
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
            // The dispatcher has ended. apalis ends a worker only on request.
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

/// Spawns each job and reports its transition.
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
        // Aborted with the worker, when the process stops at once.
        let spawned = AbortOnDropHandle::new(tokio::spawn(async move {
            let Some(ctx) = ctx else { return };
            let mut report =
                ReportOnDrop { ctx: ctx.clone(), reporter, started: Instant::now(), transition: None };
            report.transition = Some(drive(run, &ctx, timeout).await);
        }));
        Box::pin(async move { Ok(spawned.await?) })
    }
}

/// Runs a job until it returns, or drops it when it is stopped.
async fn drive<F, E>(run: F, ctx: &JobContext, timeout: Duration) -> Transition
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
            result = &mut run => {
                let result = result.map_err(Into::into);
                return resolve_outcome(ctx.info(), result, ctx.now(), &mut rand::rng());
            }
            reason = ctx.stopped() => {
                return resolve_stop(ctx.info(), reason, ctx.now(), &mut rand::rng());
            }
            () = &mut deadline, if timed => {
                // Past its point of no return the job goes on; otherwise the next iteration sees it stopped.
                timed = false;
                ctx.stop(StopReason::TimedOut);
            }
        }
    }
}
