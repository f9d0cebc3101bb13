//! Sends one mail of the ledger.
//!
//! The order of things is what the promises rest on: the ledger row is marked as begun, the relay is asked as far as
//! RCPT, and only then, under a lock on the booking, the row commits to the final dot. What the relay says after the
//! dot is written down whatever happens; silence is a doubt, and a doubt is resolved by one resend.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::config::Keys;
use punctual_core::notifications::facts::{self, Facts};
use punctual_core::notifications::sending::{self, Begun, Dot, Fence, Sending};
use punctual_core::notifications::{NotificationOutcome, SendNotification};
use punctual_core::{Core, Error};
use punctual_queue::runtime::{Ended, HookFuture};
use punctual_queue::{BoxError, Data, FinalJob, JobContext, Kind, Outcome, Payload as _};

use super::sending::{Ledger, SendError};
use crate::mails::{BuildError, Mail, Signer, Templates, compose, compose_account};
use crate::metrics;
use crate::smtp::{Failure, Permit, Relay, Session, Verdict};

/// What sending takes, made once per process.
#[derive(Clone)]
pub struct Mailer {
    /// Where mails go.
    pub relay: Relay,
    /// What they say.
    pub templates: Arc<Templates>,
    /// Keys of the links they carry.
    pub links: Arc<Keys>,
    /// What they are signed with, if they are.
    pub signer: Option<Arc<Signer>>,
}

/// The kind of job, with what ends a mail when the queue ends its job.
pub fn kind(core: &Core) -> Kind {
    let core = core.clone();
    Kind::new::<SendNotification, _, _>(send_notification).on_final(move |conn, job| {
        let now = core.now();
        Box::pin(async move { job_ended(conn, now, job).await })
    })
}

/// What ends a mail whose job is of a version that no worker takes any more.
pub fn on_unknown(
    core: &Core,
) -> impl for<'a> Fn(&'a mut sqlx::PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static {
    let core = core.clone();
    move |conn, job| {
        let now = core.now();
        Box::pin(async move {
            if job.info.queue == SendNotification::QUEUE { job_ended(conn, now, job).await } else { Ok(()) }
        })
    }
}

async fn job_ended(
    conn: &mut sqlx::PgConnection,
    now: DateTime<Utc>,
    job: &FinalJob,
) -> Result<(), BoxError> {
    // A payload that can't be read still has the row's id as its unique key.
    let Some(id) = job.info.unique_key.as_deref().and_then(|key| key.parse().ok()) else { return Ok(()) };
    let outcome = match job.why {
        Ended::Expired => NotificationOutcome::Expired,
        Ended::Cancelled | Ended::Discarded => NotificationOutcome::Cancelled,
        Ended::Exhausted(_) | Ended::Failed(_) | Ended::Poison | Ended::Undecodable(_) | Ended::Unknown => {
            NotificationOutcome::Failed
        }
    };
    if let Some((kind, outcome)) = sending::job_ended(conn, now, id, outcome).await? {
        let outcome = match outcome {
            NotificationOutcome::Failed => "gave_up",
            NotificationOutcome::Expired => "expired",
            NotificationOutcome::InDoubt => "in_doubt",
            // What an operator did stands in the list of actions.
            _ => return Ok(()),
        };
        metrics::mail(kind, outcome);
    }
    Ok(())
}

async fn send_notification(
    payload: SendNotification,
    ctx: JobContext,
    core: Data<Core>,
    mailer: Data<Mailer>,
) -> Result<Outcome, SendError> {
    let now = core.now();
    match attempt(payload, ctx, &core, &mailer).await {
        // Nobody judged the mail: it costs no attempt.
        Err(SendError::Ledger(error @ Error::Unavailable(_))) => {
            Ok(Outcome::Snooze { until: now + TimeDelta::seconds(1), reason: error.to_string() })
        }
        judged => judged,
    }
}

async fn attempt(
    payload: SendNotification,
    ctx: JobContext,
    core: &Core,
    mailer: &Mailer,
) -> Result<Outcome, SendError> {
    let permit = match mailer.relay.breaker().enter() {
        Ok(permit) => permit,
        Err(until) => return Ok(put_off(&ctx, until, "the mail server is in trouble")),
    };
    let fence = Fence { job_id: ctx.id().0, lease_seq: ctx.lease_seq() };
    let mut conn = core.pool.acquire().await?;
    let sending = match sending::begin(&mut conn, core.now(), payload.notification_id, fence).await? {
        Begun::Sending(sending) => sending,
        Begun::Over(outcome) => return Ok(over(outcome)),
        Begun::Fenced => return Ok(Outcome::Skip("a later lease has it".to_owned())),
        Begun::Gone => return Ok(Outcome::Skip("it is gone".to_owned())),
    };
    let Some(mail) = made(&mut conn, core.now(), mailer, &sending).await? else {
        let dot = sending::end(&mut conn, core.now(), &sending, NotificationOutcome::Cancelled).await?;
        return Ok(not_sent(dot));
    };
    drop(conn);
    let try_ = Try { ctx, ledger: Ledger::new(core, sending), sending, permit };
    try_.run(&mailer.relay, &mail).await
}

/// The message, unless what it speaks of has changed or its reader was erased.
async fn made(
    conn: &mut sqlx::PgConnection,
    now: DateTime<Utc>,
    mailer: &Mailer,
    sending: &Sending,
) -> Result<Option<Mail>, SendError> {
    let (templates, links, id) = (&mailer.templates, &mailer.links, sending.notification_id);
    let mail = if sending.booking_id.is_some() {
        let facts = facts::load(conn, id).await?.filter(Facts::stand);
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose(templates, links, &facts, &to, now))
    } else {
        let facts = facts::load_account(conn, id).await?;
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose_account(templates, links, &facts, &to, now))
    };
    let Some(mail) = mail.transpose()? else { return Ok(None) };
    Ok(Some(match &mailer.signer {
        Some(signer) => signer.sign(mail, now).map_err(BuildError::from)?,
        None => mail,
    }))
}

/// One try to send a mail.
struct Try {
    ctx: JobContext,
    ledger: Ledger,
    sending: Sending,
    permit: Permit,
}

impl Try {
    async fn run(self, relay: &Relay, mail: &Mail) -> Result<Outcome, SendError> {
        let session = match relay.offer(&mail.sender, &mail.recipient).await {
            Ok(session) => session,
            Err(failure) => return self.judge(failure).await,
        };
        // From here on the runtime must not stop the job: a dot that is committed wants a verdict.
        if !self.ctx.point_of_no_return() {
            session.abandon().await;
            return Ok(Outcome::Skip("stopped before the dot".to_owned()));
        }
        match self.ledger.commit_to_dot().await {
            Ok(Dot::Set) => self.send(session, mail).await,
            Ok(dot) => {
                session.abandon().await;
                self.permit.worked();
                Ok(not_sent(dot))
            }
            Err(error) => {
                session.abandon().await;
                self.ledger.not_taken("the database did not answer before the message was sent").await;
                Err(error.into())
            }
        }
    }

    async fn send(self, session: Session, mail: &Mail) -> Result<Outcome, SendError> {
        // Another worker may own the job by now: then the mail is its to send.
        if !self.ctx.lease_is_fresh() {
            session.abandon().await;
            self.ledger.not_taken("the worker lost its lease before the message was sent").await;
            return Err(SendError::LeaseLost);
        }
        match session.send(&mail.bytes).await {
            Ok(reply) => {
                self.ledger.accepted(&self.ctx, reply.as_str()).await;
                self.note("sent");
                self.permit.worked();
                Ok(Outcome::Done)
            }
            Err(failure) => self.judge(failure).await,
        }
    }

    async fn judge(self, failure: Failure) -> Result<Outcome, SendError> {
        let text = failure.to_string();
        let summary = failure.summary();
        match failure.verdict() {
            Verdict::Deferred => {
                self.ledger.not_taken(&text).await;
                self.note("deferred");
                self.permit.worked();
                Err(SendError::Deferred(summary))
            }
            Verdict::Refused => {
                self.ledger.refused(&text).await;
                self.note("failed");
                self.permit.worked();
                Ok(Outcome::Fail(summary))
            }
            Verdict::RelayTrouble => {
                self.ledger.not_taken(&text).await;
                let until = self.permit.failed();
                metrics::relay_failed(failure.step);
                tracing::warn!(%failure, again = %until, "the mail server is in trouble");
                Ok(put_off(&self.ctx, until, &summary))
            }
            Verdict::InDoubt => match self.ledger.in_doubt(&text).await {
                Some(outcome) => {
                    self.note("in_doubt");
                    Ok(Outcome::Fail(format!("{}: {summary}", outcome.as_str())))
                }
                None => Err(SendError::InDoubt),
            },
        }
    }

    fn note(&self, outcome: &'static str) {
        metrics::mail(self.sending.kind, outcome);
        let (id, kind) = (self.sending.notification_id, self.sending.kind.as_str());
        tracing::info!(notification_id = %id, mail = kind, outcome, "mail");
    }
}

/// Waits for the relay. Mails that wait for the same instant come a little apart.
fn put_off(ctx: &JobContext, until: DateTime<Utc>, why: &str) -> Outcome {
    let apart = (until - ctx.now()) / 64 * i32::try_from(ctx.id().0.rem_euclid(16)).unwrap_or_default();
    Outcome::Snooze { until: until + apart.max(TimeDelta::zero()), reason: why.to_owned() }
}

fn not_sent(dot: Dot) -> Outcome {
    match dot {
        Dot::Over(outcome) => over(outcome),
        Dot::Set | Dot::Fenced => Outcome::Skip("a later lease has it".to_owned()),
    }
}

fn over(outcome: NotificationOutcome) -> Outcome {
    match outcome {
        NotificationOutcome::Failed | NotificationOutcome::InDoubt => {
            Outcome::Fail(outcome.as_str().to_owned())
        }
        _ => Outcome::Skip(outcome.as_str().to_owned()),
    }
}
