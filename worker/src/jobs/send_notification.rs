//! Sends one mail of the ledger.
//!
//! The order of the steps gives the guarantees: the ledger row records the attempt; MAIL and RCPT; then, under a lock
//! on the booking, the row is marked as handed off; DATA and the message. The relay's reply to the message is always
//! recorded. Without a reply the mail is in doubt, and is sent once more.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::config::Keys;
use punctual_core::notifications::facts::{self, Facts};
use punctual_core::notifications::sending::{
    self, BeginResult, Beginning, Fence, HandOff, Sending, SendingBatches,
};
use punctual_core::notifications::{EndedMail, NotificationKind, NotificationOutcome, SendNotification};
use punctual_core::{Core, Error, mail_relay};
use punctual_queue::runtime::{AfterCommit, FinishReason, HookFuture};
use punctual_queue::{BoxError, Data, FinalJob, JobContext, Kind, Outcome, Payload as _};

use super::ledger::{LedgerEntry, SendError};
use crate::circuit::Circuit;
use crate::mails::{
    BuildError, Mail, Signer, Templates, compose, compose_account, compose_booking_links,
    compose_reminder_of_visit, compose_several, compose_webhook_ended,
};
use crate::metrics;
use crate::smtp::{Failure, FailureClass, MailTransaction, Permit, Relay};

/// How long a reminder waits for the result of another one of its visit.
const COVER_WAIT: TimeDelta = TimeDelta::seconds(30);

/// Dependencies of sending; one per process.
#[derive(Clone)]
pub struct Mailer {
    /// The mail server.
    pub relay: Relay,
    /// Its circuit breaker.
    pub circuit: Circuit,
    /// Commits the steps of its mails.
    pub batches: Arc<SendingBatches>,
    /// The templates of the mails.
    pub templates: Arc<Templates>,
    /// Keys of the links in mails.
    pub links: Arc<Keys>,
    /// Signs mails with DKIM, if configured.
    pub signer: Option<Arc<Signer>>,
}

/// The kind of job. If the queue ends a job, its mail ends too.
pub fn kind(core: &Core) -> Kind {
    let core = core.clone();
    Kind::new::<SendNotification, _, _>(send_notification).retry_poison_until_expiry().on_final(
        move |conn, job| {
            let now = core.now();
            Box::pin(async move { job_ended(conn, now, job).await })
        },
    )
}

/// Ends a mail whose job has a kind that no worker knows.
pub fn on_unknown(
    core: &Core,
) -> impl for<'a> Fn(&'a mut sqlx::PgConnection, &'a FinalJob) -> HookFuture<'a> + Send + Sync + 'static {
    let core = core.clone();
    move |conn, job| {
        let now = core.now();
        Box::pin(async move {
            if job.info.queue == SendNotification::QUEUE { job_ended(conn, now, job).await } else { Ok(None) }
        })
    }
}

async fn job_ended(
    conn: &mut sqlx::PgConnection,
    now: DateTime<Utc>,
    job: &FinalJob,
) -> Result<AfterCommit, BoxError> {
    // The unique key is the ledger row's id, also if the payload cannot be read.
    let Some(id) = job.info.unique_key.as_deref().and_then(|key| key.parse().ok()) else { return Ok(None) };
    let outcome = match job.why {
        FinishReason::Expired => NotificationOutcome::Expired,
        FinishReason::Cancelled | FinishReason::Discarded => NotificationOutcome::Cancelled,
        FinishReason::Exhausted(_)
        | FinishReason::Failed(_)
        | FinishReason::Poison
        | FinishReason::Undecodable(_)
        | FinishReason::Unknown => NotificationOutcome::Failed,
    };
    let ended = sending::job_ended(conn, now, id, outcome).await?;
    Ok(ended.map(|mail| -> Box<dyn FnOnce() + Send> { Box::new(move || count_ended(mail)) }))
}

fn count_ended(mail: EndedMail) {
    mail.count();
    let outcome = match mail.outcome {
        NotificationOutcome::Failed => "gave_up",
        NotificationOutcome::Expired => "expired",
        NotificationOutcome::InDoubt => "in_doubt",
        // An operator ended it: recorded in the audit of actions.
        _ => return,
    };
    metrics::mail(mail.kind, outcome);
}

async fn send_notification(
    payload: SendNotification,
    ctx: JobContext,
    core: Data<Core>,
    mailer: Data<Mailer>,
) -> Result<Outcome, SendError> {
    let now = core.now();
    // Boxed: it is larger than a future on the stack should be.
    match Box::pin(prepare_and_send(payload, ctx, &core, &mailer)).await {
        // A database outage says nothing about the mail: no attempt is used.
        Err(SendError::Ledger(error @ Error::Unavailable(_))) => {
            Ok(Outcome::Snooze { until: now + TimeDelta::seconds(1), reason: error.to_string() })
        }
        result => result,
    }
}

async fn prepare_and_send(
    payload: SendNotification,
    ctx: JobContext,
    core: &Core,
    mailer: &Mailer,
) -> Result<Outcome, SendError> {
    let permit = match mailer.circuit.try_acquire().await {
        Ok(permit) => permit,
        Err(until) => return Ok(wait_for_relay(&mailer.circuit, &ctx, until, None)),
    };
    let fence = Fence { job_id: ctx.id().0, lease_seq: ctx.lease_seq() };
    let Beginning { begun, facts } = mailer.batches.begin(payload.notification_id, fence).await?;
    let mut sending = match begun {
        BeginResult::Sending(sending) => sending,
        BeginResult::Ended(outcome) => return Ok(already_ended(outcome)),
        BeginResult::Fenced => return Ok(Outcome::Skip("a later lease has it".to_owned())),
        BeginResult::Gone => return Ok(Outcome::Skip("it is gone".to_owned())),
    };
    let Some(mail) = build(core, mailer, &mut sending, facts).await? else {
        let mut conn = core.pool.acquire().await?;
        let ended = sending::end(&mut conn, core.now(), &sending, NotificationOutcome::Cancelled).await?;
        return Ok(not_sent(ended));
    };
    let circuit = mailer.circuit.clone();
    let ledger = LedgerEntry::new(core, Arc::clone(&mailer.batches), sending);
    let attempt = Attempt { ctx, ledger, sending, circuit, permit };
    attempt.run(&mailer.relay, &mail).await
}

/// The message; `None` if its subject has changed since, or the recipient was erased.
async fn build(
    core: &Core,
    mailer: &Mailer,
    sending: &mut Sending,
    facts: Option<Facts>,
) -> Result<Option<Mail>, SendError> {
    let (templates, links, id) = (&mailer.templates, &mailer.links, sending.notification_id);
    let now = core.now();
    let mail = if sending.kind.is_about_several() {
        let facts = facts::load_several(&mut *core.pool.acquire().await?, now, id).await?;
        sending.revs = facts.as_ref().map(|facts| facts.revs);
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose_several(templates, links, &facts, &to, now))
    } else if sending.booking_id.is_some() {
        let facts = facts.filter(Facts::are_current);
        sending.revs = facts.as_ref().and_then(|facts| facts.visit.as_ref()).map(|visit| visit.revs);
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| match &facts.visit {
            Some(visit) if visit.bookings.len() > 1 => {
                compose_reminder_of_visit(templates, links, &facts, visit, &to, now)
            }
            _ => compose(templates, links, &facts, &to, now),
        })
    } else if sending.customer_id.is_some() {
        let facts = facts::load_booking_links(&mut *core.pool.acquire().await?, now, id).await?;
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose_booking_links(templates, links, &facts, &to, now))
    } else if sending.kind == NotificationKind::WebhookEnded {
        let facts = facts::load_webhook_ended(&mut *core.pool.acquire().await?, id).await?;
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose_webhook_ended(templates, &facts, &to, now))
    } else {
        let facts = facts::load_account(&mut *core.pool.acquire().await?, id).await?;
        let facts = facts.and_then(|facts| facts.recipient.clone().map(|to| (facts, to)));
        facts.map(|(facts, to)| compose_account(templates, links, &facts, &to, now))
    };
    let Some(mail) = mail.transpose()? else { return Ok(None) };
    Ok(Some(match &mailer.signer {
        Some(signer) => signer.sign(mail, now).map_err(BuildError::from)?,
        None => mail,
    }))
}

/// One attempt to send a mail.
struct Attempt {
    ctx: JobContext,
    ledger: LedgerEntry,
    sending: Sending,
    circuit: Circuit,
    permit: Permit,
}

impl Attempt {
    async fn run(self, relay: &Relay, mail: &Mail) -> Result<Outcome, SendError> {
        // A slow relay would hold up all jobs that a dead worker left.
        self.ctx.release_rescue_slot();
        let transaction = match relay.begin_mail(&mail.sender, &mail.recipient, &self.permit).await {
            Ok(transaction) => transaction,
            Err(failure) => return self.resolve_failure(mail, failure).await,
        };
        // From here on the runtime must not stop the job: once the hand-off is recorded, its result must be too.
        if !self.ctx.point_of_no_return() {
            transaction.abort().await;
            return Ok(Outcome::Skip("stopped before the message was sent".to_owned()));
        }
        match self.ledger.mark_handed_off().await {
            Ok(HandOff::Marked) => self.send(transaction, mail).await,
            Ok(HandOff::Outdated) => {
                transaction.abort().await;
                self.ledger.not_taken("one of its bookings changed before the message was sent").await;
                self.circuit.succeeded(self.permit).await;
                Ok(Outcome::Snooze { until: self.ctx.now(), reason: "a booking changed".to_owned() })
            }
            Ok(HandOff::Waits) => {
                transaction.abort().await;
                self.ledger.not_taken("the reminder of another service of the visit is being sent").await;
                self.circuit.succeeded(self.permit).await;
                let until = self.ctx.now() + COVER_WAIT;
                Ok(Outcome::Snooze { until, reason: "another reminder of the visit".to_owned() })
            }
            Ok(hand_off) => {
                transaction.abort().await;
                self.circuit.succeeded(self.permit).await;
                Ok(not_sent(hand_off))
            }
            Err(error) => {
                transaction.abort().await;
                self.ledger.not_taken("the database did not answer before the message was sent").await;
                Err(error.into())
            }
        }
    }

    async fn send(self, transaction: MailTransaction, mail: &Mail) -> Result<Outcome, SendError> {
        // If the lease is stale, another worker may own the job and send the mail.
        if !self.ctx.lease_is_fresh() {
            transaction.abort().await;
            self.ledger.not_taken("the worker lost its lease before the message was sent").await;
            return Err(SendError::LeaseLost);
        }
        match transaction.send(&mail.bytes).await {
            Ok(reply) => {
                let outcome = self.ledger.accepted(&self.ctx, &reply.to_string()).await;
                record(&self.sending, "sent");
                self.circuit.succeeded(self.permit).await;
                Ok(outcome)
            }
            Err(failure) => self.resolve_failure(mail, failure).await,
        }
    }

    async fn resolve_failure(self, mail: &Mail, failure: Failure) -> Result<Outcome, SendError> {
        let text = failure.to_string();
        let summary = failure.summary();
        match failure.class() {
            FailureClass::Deferred => {
                self.ledger.not_taken(&text).await;
                record(&self.sending, "deferred");
                self.circuit.succeeded(self.permit).await;
                Err(SendError::Deferred(summary))
            }
            FailureClass::Refused => {
                self.ledger.refused(&text).await;
                record(&self.sending, "failed");
                self.circuit.succeeded(self.permit).await;
                Ok(Outcome::Fail(summary))
            }
            FailureClass::RelayUnavailable => {
                self.ledger.not_taken(&text).await;
                let until = self.circuit.failed(self.permit, &failure).await;
                Ok(relay_failed(&self.circuit, &self.ctx, &failure, until))
            }
            FailureClass::RelayOrMail => {
                self.ledger.not_taken(&text).await;
                let recipient = mail.recipient.as_ref();
                if let Some(until) = self.circuit.failed_for(self.permit, recipient, &failure).await {
                    return Ok(relay_failed(&self.circuit, &self.ctx, &failure, until));
                }
                record(&self.sending, "deferred");
                Err(SendError::Deferred(summary))
            }
            FailureClass::InDoubt => match self.ledger.in_doubt(&text).await {
                Some(outcome) => {
                    record(&self.sending, "in_doubt");
                    Ok(Outcome::Fail(format!("{}: {summary}", outcome.as_str())))
                }
                None => Err(SendError::InDoubt),
            },
        }
    }
}

/// Counts the result of an attempt. The end of a mail is logged where the ledger records it.
fn record(sending: &Sending, outcome: &'static str) {
    metrics::mail(sending.kind, outcome);
    if outcome == "deferred" {
        let (id, kind) = (sending.notification_id, sending.kind.as_str());
        tracing::info!(notification_id = %id, mail = kind, outcome, "mail");
    }
}

/// The relay itself failed: the mail waits and no attempt is used.
fn relay_failed(circuit: &Circuit, ctx: &JobContext, failure: &Failure, until: DateTime<Utc>) -> Outcome {
    metrics::relay_failed(failure.step);
    tracing::warn!(%failure, again = %until, "the mail server failed");
    wait_for_relay(circuit, ctx, until, Some(&failure.summary()))
}

/// Puts the mail off until then, or leaves it to other workers at once, in its place. Mails that wait for the same instant are
/// spread out a little. [`mail_relay`] releases them by the prefix of the reason.
fn wait_for_relay(
    circuit: &Circuit,
    ctx: &JobContext,
    until: DateTime<Utc>,
    failure: Option<&str>,
) -> Outcome {
    let spread = (until - ctx.now()) / 64 * i32::try_from(ctx.id().0.rem_euclid(16)).unwrap_or_default();
    let reason = match failure {
        Some(failure) => format!("{}: {failure}", mail_relay::WAIT_REASON),
        None => mail_relay::WAIT_REASON.to_owned(),
    };
    let later = until + spread.max(TimeDelta::zero());
    let until = if circuit.leaves_mails_to_others() { ctx.info().run_at } else { later };
    Outcome::Snooze { until, reason }
}

fn not_sent(hand_off: HandOff) -> Outcome {
    match hand_off {
        HandOff::Ended(outcome) => already_ended(outcome),
        HandOff::Marked | HandOff::Outdated | HandOff::Waits | HandOff::Fenced => {
            Outcome::Skip("a later lease has it".to_owned())
        }
    }
}

fn already_ended(outcome: NotificationOutcome) -> Outcome {
    match outcome {
        NotificationOutcome::Failed | NotificationOutcome::InDoubt => {
            Outcome::Fail(outcome.as_str().to_owned())
        }
        _ => Outcome::Skip(outcome.as_str().to_owned()),
    }
}
