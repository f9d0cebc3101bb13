//! Injects the faults, while customers book, move and cancel. Each is repaired when its function returns, or by
//! [`Deployment::heal`] afterwards.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use punctual_queue::{Clock as _, Job, Payload, ServerClock, enqueue};
use punctual_testkit::smtp_sink::{Act, Verb};
use punctual_testkit::{Process, Signal, lasting, try_wait_for};
use rand::Rng as _;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::deployment::Deployment;
use super::faults::FAULT_DURATION;
use super::freeze::{freeze, session_pid};
use super::{Fault, Result, inject_hooks as hooks, worker};

/// How far the clock of the workers is stepped, in seconds.
const CLOCK_STEP: i64 = 5 * 3600;
/// How long a script of the mail server may stay unused. A command that no mail reaches is not a fault.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a mail may take to continue after its worker died.
const RESUME_TIMEOUT: Duration = Duration::from_secs(40);
/// How long mails may take while the mail server serves some of them.
const SERVE_TIMEOUT: Duration = Duration::from_secs(20);

impl Fault {
    /// Injects the fault.
    pub async fn inject(self, deployment: &mut Deployment, rng: &mut SmallRng) -> Result<()> {
        let workers = deployment.workers.len();
        match self {
            Self::KilledAt(verb) => {
                held_at(deployment, verb).await;
                deployment.kill_workers();
                deployment.relay.heal();
                deployment.start_workers(workers).await;
            }
            Self::TerminatedAt(verb) => terminate(deployment, verb).await?,
            Self::FrozenAt(verb) => {
                held_at(deployment, verb).await;
                freeze(deployment, rng.random_range(0..workers)).await?;
            }
            Self::Poison => poison(deployment, rng).await?,
            Self::FailOver => deployment.fail_over().await,
            Self::OddReply(verb) => odd_replies(deployment, rng, verb).await?,
            Self::PoisonedRecipient => poisoned_recipient(deployment, rng).await?,
            Self::SmallRelay => small_relay(deployment, rng).await?,
            Self::PostgresRestarted => {
                deployment.postgres.stop().await;
                lasting(FAULT_DURATION / 3).await;
                deployment.postgres.start_again().await;
            }
            Self::PostgresCrashed => {
                deployment.postgres.crash().await;
                deployment.postgres.start_again().await;
            }
            Self::BackendsTerminated => {
                for _ in 0..5 {
                    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
                    sqlx::query(terminate).execute(deployment.pool()).await?;
                    lasting(Duration::from_secs(1)).await;
                }
            }
            Self::PostgresCut => {
                for _ in 0..5 {
                    deployment.to_postgres.cut();
                    deployment.api_to_postgres.cut();
                    lasting(Duration::from_millis(300)).await;
                }
            }
            Self::PostgresStalled => {
                deployment.to_postgres.stall();
                deployment.api_to_postgres.stall();
                lasting(FAULT_DURATION).await;
            }
            Self::PostgresSlow => {
                deployment.to_postgres.slow(Duration::from_millis(30));
                deployment.api_to_postgres.slow(Duration::from_millis(30));
                lasting(FAULT_DURATION).await;
            }
            Self::RedisRestarted => {
                deployment.redis.stop().await;
                lasting(FAULT_DURATION).await;
                deployment.redis.start_again().await;
            }
            Self::RedisFlushed => {
                let client = redis::Client::open(deployment.redis.url())?;
                let mut conn = client.get_multiplexed_async_connection().await?;
                redis::cmd("FLUSHALL").exec_async(&mut conn).await?;
            }
            Self::RedisStalled => {
                deployment.to_redis.stall();
                lasting(FAULT_DURATION).await;
            }
            Self::ClockStepped { ahead } => {
                if let Some(clock) = &deployment.clock {
                    clock.set(if ahead { CLOCK_STEP } else { -CLOCK_STEP });
                    lasting(FAULT_DURATION).await;
                    clock.set(0);
                }
            }
            Self::Relay(verb, fault) => {
                let times = rng.random_range(1..=4);
                play(deployment, verb, &vec![fault.act(); times]).await;
            }
            Self::RelayDown => {
                deployment.to_relay.refuse();
                lasting(FAULT_DURATION).await;
            }
            Self::RelayLockedOut => {
                deployment.relay.always(Verb::Mail, Act::Reply("530 5.7.0 authentication required"));
                lasting(FAULT_DURATION).await;
            }
            Self::FanOutKilled
            | Self::CrowdKilled
            | Self::HookKilledAt(_)
            | Self::HookTerminated
            | Self::HookFrozen
            | Self::HooksDown => hooks::inject(self, deployment, rng).await?,
            Self::OneSlot => one_slot(deployment, rng).await?,
            Self::Equal => equal(deployment, rng).await?,
        }
        Ok(())
    }
}

/// Stops all workers with SIGTERM while they send a mail, and starts others.
async fn terminate(deployment: &mut Deployment, verb: Verb) -> Result<()> {
    let workers = deployment.workers.len();
    held_at(deployment, verb).await;
    let leaving: Vec<_> = deployment.workers.drain(..).collect();
    for worker in &leaving {
        worker.signal(Signal::TERM);
    }
    deployment.start_workers(workers).await;
    deployment.relay.release();
    for status in join_all(leaving.into_iter().map(Process::ended)).await {
        if !status.success() {
            return Err(format!("a worker ended with {status} after SIGTERM").into());
        }
    }
    deployment.relay.hold();
    Ok(())
}

/// Sets the mail server's behaviour at the next occurrences of a command, and waits until they happened.
async fn play(deployment: &Deployment, verb: Verb, acts: &[Act]) {
    if matches!(verb, Verb::Banner | Verb::Ehlo) {
        // Workers keep connections, and only a new one is scripted.
        deployment.to_relay.cut();
    }
    let seen = deployment.relay.seen(verb);
    deployment.relay.script(verb, acts.to_vec());
    let _ = timeout(SCRIPT_TIMEOUT, deployment.relay.wait_for(verb, seen + acts.len())).await;
}

/// Waits until a worker waits for the mail server at this command.
async fn held_at(deployment: &Deployment, verb: Verb) {
    play(deployment, verb, &[Act::Stall]).await;
}

/// Kills whichever worker starts this mail, three times. It is sent all the same; other mails continue meanwhile.
async fn poison(deployment: &mut Deployment, rng: &mut SmallRng) -> Result<()> {
    let name = format!("poison{:x}", rng.random::<u32>());
    let recipient = format!("{name}@example.org");
    deployment.relay.always_to(&recipient, Act::Stall);
    while deployment.api_client.book(&name, &deployment.api_client.slot(rng)).await.is_none() {}
    let workers = deployment.workers.len();
    for deaths in 0..3_i16 {
        let begun = "SELECT EXISTS (
            SELECT FROM queue.jobs j JOIN notifications n ON n.id::text = j.unique_key JOIN queue.sessions s ON s.id = j.session_id
            WHERE n.recipient = $1::citext AND j.state = 'running' AND j.rescues >= $2 AND split_part(s.name, ' ', 3) = ANY ($3))";
        let pids: Vec<String> = deployment.workers.iter().map(session_pid).collect();
        until(deaths, async || {
            let asked = sqlx::query_scalar(begun).bind(&recipient).bind(deaths).bind(&pids);
            asked.fetch_one(deployment.pool()).await
        })
        .await?;
        deployment.kill_workers();
        deployment.start_workers(workers).await;
    }
    deployment.relay.heal();
    let sent = "SELECT EXISTS (SELECT FROM notifications WHERE recipient = $1::citext AND outcome = 'sent')";
    until(3, async || sqlx::query_scalar(sent).bind(&recipient).fetch_one(deployment.pool()).await).await
}

/// Waits for a condition.
async fn until(deaths: i16, is_so: impl AsyncFn() -> sqlx::Result<bool>) -> Result<()> {
    let waited = try_wait_for(RESUME_TIMEOUT, async || match is_so().await {
        Ok(true) => Ok(()),
        seen => Err(seen),
    });
    waited.await.map_err(|seen| {
        format!("after {deaths} deaths of its worker a mail does not continue: {seen}").into()
    })
}

/// The total of doubts of all mails.
async fn doubts(deployment: &Deployment) -> Result<i64> {
    let doubts = "SELECT coalesce(sum(doubts), 0) FROM notifications";
    Ok(sqlx::query_scalar(doubts).fetch_one(deployment.pool()).await?)
}

/// Replies whose three digits mean yes: none of them leaves a mail in doubt.
async fn odd_replies(deployment: &Deployment, rng: &mut SmallRng, verb: Verb) -> Result<()> {
    let replies: [&'static [u8]; 2] = match verb {
        Verb::Banner => [b"220 Gr\xfc\xdfe\r\n", b"220\r\n"],
        _ => [b"250 f\xfcr sp\xe4ter\r\n", b"250\r\n"],
    };
    let before = doubts(deployment).await?;
    let acts: Vec<Act> = (0..4).map(|_| Act::Raw(replies[rng.random_range(0..2)])).collect();
    play(deployment, verb, &acts).await;
    lasting(worker::REPLY_TIMEOUT + Duration::from_millis(500)).await;
    let after = doubts(deployment).await?;
    if after == before { Ok(()) } else { Err(format!("{} mails are in doubt", after - before).into()) }
}

/// The mail server answers 421 to each mail for one recipient. Mails to others are sent meanwhile.
async fn poisoned_recipient(deployment: &Deployment, rng: &mut SmallRng) -> Result<()> {
    let name = format!("refused{:x}", rng.random::<u32>());
    let recipient = format!("{name}@example.org");
    deployment.relay.always_to(&recipient, Act::Reply("421 4.3.2 closing"));
    while deployment.api_client.book(&name, &deployment.api_client.slot(rng)).await.is_none() {}
    for _ in 0..3 {
        sends(deployment, 5).await?;
    }
    if deployment.relay.journal().iter().any(|mail| mail.recipient == recipient) {
        return Err("a refused mail was taken".into());
    }
    Ok(())
}

/// Sixteen customers book at once, while the mail server allows few connections and few messages on each.
async fn small_relay(deployment: &Deployment, rng: &mut SmallRng) -> Result<()> {
    deployment.relay.limit_connections(3);
    deployment.relay.limit_messages(3);
    deployment.to_relay.cut();
    let round = rng.random::<u32>();
    let slots: Vec<_> =
        (0..16).map(|number| (format!("small{round:x}-{number}"), deployment.api_client.slot(rng))).collect();
    let booked = join_all(slots.iter().map(|(key, slot)| deployment.api_client.book(key, slot))).await;
    sends(deployment, booked.iter().flatten().count()).await
}

/// Waits until this many more mails are sent.
async fn sends(deployment: &Deployment, mails: usize) -> Result<()> {
    let before = deployment.relay.journal().len();
    let sent = try_wait_for(SERVE_TIMEOUT, async || deployment.relay.journal().len() >= before + mails).await;
    sent.map_err(|_| format!("not {mails} mails were sent in {SERVE_TIMEOUT:?}").into())
}

async fn one_slot(deployment: &Deployment, rng: &mut SmallRng) -> Result<()> {
    let (slot, round) = (deployment.api_client.slot(rng), rng.random::<u32>());
    let keys: Vec<String> = (0..16).map(|number| format!("slot{round:x}-{number}")).collect();
    let booked = join_all(keys.iter().map(|key| deployment.api_client.book(key, &slot))).await;
    let booked = booked.iter().flatten().count();
    // Another customer may have booked it before.
    if booked > 1 { Err(format!("{booked} of 16 customers got {slot}").into()) } else { Ok(()) }
}

#[derive(Debug, Serialize, Deserialize)]
struct Nothing {}

impl Payload for Nothing {
    const KIND: &'static str = "chaos.nothing.v1";
    const QUEUE: &'static str = "chaos";
}

async fn equal(deployment: &Deployment, rng: &mut SmallRng) -> Result<()> {
    let (slot, key) = (deployment.api_client.slot(rng), format!("equal{:x}", rng.random::<u32>()));
    let answers = join_all((0..100).map(|_| deployment.api_client.book(&key, &slot))).await;
    let mut ids: Vec<String> = answers.into_iter().flatten().collect();
    ids.dedup();
    if ids.len() > 1 {
        return Err(format!("one request made {} bookings", ids.len()).into());
    }
    let now = ServerClock::start(deployment.pool()).await?.now();
    let enqueued = join_all((0..100).map(|_| async {
        let mut tx = deployment.pool().begin().await?;
        // Scheduled for tomorrow: while it waits its key is taken, and no worker knows its kind.
        let job = Job::new(&Nothing {})?.unique_key(&key).run_at(now + TimeDelta::days(1));
        let enqueued = enqueue(&mut tx, now, job).await?;
        tx.commit().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(enqueued.id)
    }));
    let mut ids = enqueued.await.into_iter().collect::<Result<Vec<_>>>()?;
    ids.dedup();
    if ids.len() == 1 { Ok(()) } else { Err(format!("one key made {} jobs", ids.len()).into()) }
}
