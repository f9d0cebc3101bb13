//! The faults, injected while customers book, move and cancel. Each is repaired when its function returns, or by
//! [`Deployment::heal`] afterwards.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use punctual_queue::{Clock as _, Job, Payload, ServerClock, enqueue};
use punctual_testkit::{Process, Signal, WAIT_TIMEOUT, lasting, try_wait_for};
use rand::Rng as _;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Result;
use super::deployment::Deployment;
use punctual_testkit::smtp_sink::{Act, Verb};

/// Duration of an outage.
const FAULT_DURATION: Duration = Duration::from_secs(3);
/// How far the clock of the workers is stepped, in seconds.
const CLOCK_STEP: i64 = 5 * 3600;
/// How long a script of the mail server may stay unused. A command that no mail reaches is not a fault.
const PLAYED: Duration = Duration::from_secs(20);

/// How long a mail may take to continue after its worker died.
const BEGUN: Duration = Duration::from_secs(40);

/// The SMTP commands of a send, from the connection to the reply to the message.
pub const POINTS: [Verb; 5] = [Verb::Banner, Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Dot];

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// SIGKILL to all workers while the mail server delays one of them at this command.
    KilledAt(Verb),
    /// SIGTERM to all workers while one is delayed at this command; new ones take over.
    TerminatedAt(Verb),
    /// SIGSTOP to one worker during a send until its session has ended, then SIGCONT.
    FrozenAt(Verb),
    /// The worker dies three times at the same mail.
    Poison,
    /// Clean stop, which cuts all connections, and start.
    PostgresRestarted,
    /// Stop like a power loss, and start.
    PostgresCrashed,
    /// Every connection of the database is terminated, five times, a second apart.
    BackendsTerminated,
    /// All connections to Postgres are cut.
    PostgresCut,
    /// No byte passes to or from Postgres.
    PostgresStalled,
    /// Latency for each piece of data.
    PostgresSlow,
    /// Stopped, and started empty.
    RedisRestarted,
    /// FLUSHALL.
    RedisFlushed,
    /// No byte passes to or from Redis.
    RedisStalled,
    /// The system clock of all workers goes five hours ahead, or back, and later right again.
    ClockStepped {
        /// Whether it goes ahead.
        ahead: bool,
    },
    /// At this command, this many times: a reply, silence or a cut.
    Relay(Verb, RelayFault),
    /// Nothing listens at the relay's address.
    RelayDown,
    /// The relay requires a password that the workers do not send.
    RelayLockedOut,
    /// Sixteen customers book one slot at once.
    OneSlot,
    /// One request sent a hundred times at once, and one job enqueued a hundred times at once.
    Equal,
}

/// Behaviour of the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayFault {
    /// 451: temporary refusal.
    NotNow,
    /// 554: permanent refusal.
    Refuses,
    /// 421, then closes the connection.
    GoesAway,
    /// Sends nothing until the worker's timeout.
    Stalls,
    /// Closes the connection; after the end of the data the message was accepted.
    Cuts,
}

impl RelayFault {
    const ALL: [Self; 5] = [Self::NotNow, Self::Refuses, Self::GoesAway, Self::Stalls, Self::Cuts];

    fn act(self) -> Act {
        match self {
            Self::NotNow => Act::Reply("451 4.3.0 not now"),
            Self::Refuses => Act::Reply("554 5.7.1 no"),
            Self::GoesAway => Act::Reply("421 4.3.2 closing"),
            Self::Stalls => Act::Stall,
            Self::Cuts => Act::Cut,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KilledAt(verb) => write!(f, "kill −9 of the workers at {}", name(*verb)),
            Self::TerminatedAt(verb) => write!(f, "SIGTERM to the workers at {}", name(*verb)),
            Self::FrozenAt(verb) => write!(f, "SIGSTOP of a worker at {}, past its lease", name(*verb)),
            Self::Poison => f.write_str("a mail whose worker dies three times"),
            Self::PostgresRestarted => f.write_str("Postgres stopped and started"),
            Self::PostgresCrashed => f.write_str("Postgres crashed and started"),
            Self::BackendsTerminated => f.write_str("all backends terminated, five times"),
            Self::PostgresCut => f.write_str("connections to Postgres cut"),
            Self::PostgresStalled => f.write_str("Postgres silent for 3 s"),
            Self::PostgresSlow => f.write_str("Postgres 30 ms away for 3 s"),
            Self::RedisRestarted => f.write_str("Redis stopped for 3 s and started"),
            Self::RedisFlushed => f.write_str("Redis flushed"),
            Self::RedisStalled => f.write_str("Redis silent for 3 s"),
            Self::ClockStepped { ahead: true } => f.write_str("the workers' clock 5 h ahead for 3 s"),
            Self::ClockStepped { ahead: false } => f.write_str("the workers' clock 5 h behind for 3 s"),
            Self::Relay(verb, deed) => {
                let deed = match deed {
                    RelayFault::NotNow => "says 451",
                    RelayFault::Refuses => "says 554",
                    RelayFault::GoesAway => "says 421",
                    RelayFault::Stalls => "stalls",
                    RelayFault::Cuts => "hangs up",
                };
                write!(f, "the relay {deed} at {}", name(*verb))
            }
            Self::RelayDown => f.write_str("the relay down for 3 s"),
            Self::RelayLockedOut => f.write_str("the relay refuses the password for 3 s"),
            Self::OneSlot => f.write_str("16 customers on one slot"),
            Self::Equal => f.write_str("100 equal requests, 100 equal enqueues"),
        }
    }
}

fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Banner => "the banner",
        Verb::Ehlo => "EHLO",
        Verb::StartTls => "STARTTLS",
        Verb::Auth => "AUTH",
        Verb::Mail => "MAIL",
        Verb::Rcpt => "RCPT",
        Verb::Data => "DATA",
        Verb::Dot => "the dot",
        Verb::Rset => "RSET",
        Verb::Quit => "QUIT",
    }
}

impl Fault {
    /// All faults, for one round.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Poison,
            Self::PostgresRestarted,
            Self::PostgresCrashed,
            Self::BackendsTerminated,
            Self::PostgresCut,
            Self::PostgresStalled,
            Self::PostgresSlow,
            Self::RedisRestarted,
            Self::RedisFlushed,
            Self::RedisStalled,
            Self::ClockStepped { ahead: true },
            Self::ClockStepped { ahead: false },
            Self::RelayDown,
            Self::RelayLockedOut,
            Self::OneSlot,
            Self::Equal,
        ];
        for verb in POINTS {
            all.extend([Self::KilledAt(verb), Self::TerminatedAt(verb), Self::FrozenAt(verb)]);
        }
        for verb in [Verb::Banner, Verb::Ehlo, Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Dot] {
            all.extend(RelayFault::ALL.map(|deed| Self::Relay(verb, deed)));
        }
        all
    }

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
            Self::Relay(verb, deed) => {
                let times = rng.random_range(1..=4);
                play(deployment, verb, &vec![deed.act(); times]).await;
            }
            Self::RelayDown => {
                deployment.to_relay.refuse();
                lasting(FAULT_DURATION).await;
            }
            Self::RelayLockedOut => {
                deployment.relay.always(Verb::Mail, Act::Reply("530 5.7.0 authentication required"));
                lasting(FAULT_DURATION).await;
            }
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
    let _ = timeout(PLAYED, deployment.relay.wait_for(verb, seen + acts.len())).await;
}

/// Waits until a worker waits for the mail server at this command.
async fn held_at(deployment: &Deployment, verb: Verb) {
    play(deployment, verb, &[Act::Stall]).await;
}

/// The last word of a worker's session name.
fn session_pid(worker: &Process) -> String {
    worker.pid().to_string()
}

/// Stops a worker until others own its jobs.
async fn freeze(deployment: &mut Deployment, at: usize) -> Result<()> {
    let worker = &deployment.workers[at];
    worker.signal(Signal::STOP);
    let pid = session_pid(worker);
    let sessions = "SELECT count(*) FILTER (WHERE ended_at IS NULL), count(*) FROM queue.sessions
                    WHERE split_part(name, ' ', 3) = $1";
    let ended = try_wait_for(WAIT_TIMEOUT, async || {
        let counted: sqlx::Result<(i64, i64)> =
            sqlx::query_as(sessions).bind(&pid).fetch_one(deployment.pool()).await;
        match counted {
            Ok((0, all)) => Ok(all),
            counted => Err(counted),
        }
    });
    let ended = ended.await;
    deployment.workers[at].signal(Signal::CONT);
    let sessions = ended.map_err(|seen| format!("the session of a frozen worker did not end: {seen}"))?;
    if sessions == 0 {
        return Err("a worker that was frozen never had a session".into());
    }
    Ok(())
}

/// Kills whichever worker starts this mail, three times, until the mail is given up; other mails continue.
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
    let given_up = "SELECT EXISTS (SELECT FROM queue.jobs j JOIN notifications n ON n.id::text = j.unique_key
                                   WHERE n.recipient = $1::citext AND j.state = 'discarded' AND j.note LIKE '%died%')";
    until(3, async || sqlx::query_scalar(given_up).bind(&recipient).fetch_one(deployment.pool()).await).await
}

/// Waits for a condition.
async fn until(deaths: i16, is_so: impl AsyncFn() -> sqlx::Result<bool>) -> Result<()> {
    let waited = try_wait_for(BEGUN, async || match is_so().await {
        Ok(true) => Ok(()),
        seen => Err(seen),
    });
    waited.await.map_err(|seen| {
        format!("after {deaths} deaths of its worker a mail does not continue: {seen}").into()
    })
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
