//! The faults. How each is injected: [`super::inject`].

use std::time::Duration;

use punctual_testkit::smtp_sink::{Act, Verb};

/// Duration of an outage.
pub(super) const FAULT_DURATION: Duration = Duration::from_secs(3);

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
    /// The primary is killed and its standby promoted; the programs reach it at the former address.
    FailOver,
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
    /// At this command, some times: a reply in Latin-1, or of three digits only, that means yes.
    OddReply(Verb),
    /// 421 to each mail for one recipient, while the others are served.
    PoisonedRecipient,
    /// The mail server allows three connections and three messages on each.
    SmallRelay,
    /// Nothing listens at the relay's address.
    RelayDown,
    /// The relay requires a password that the workers do not send.
    RelayLockedOut,
    /// SIGKILL to all workers while they make deliveries from the feed.
    FanOutKilled,
    /// SIGKILL to all workers while they tell 990 endpoints, a tenth of which never answers, of one event.
    CrowdKilled,
    /// SIGKILL to all workers at this step of posting a webhook.
    HookKilledAt(HookStep),
    /// SIGTERM to all workers while a receiver has not answered yet.
    HookTerminated,
    /// SIGSTOP to one worker while a receiver has not answered, until its session has ended, then SIGCONT.
    HookFrozen,
    /// A good receiver of webhooks answers 503, or not at all.
    HooksDown,
    /// Sixteen customers book one slot at once.
    OneSlot,
    /// One request sent a hundred times at once, and one job enqueued a hundred times at once.
    Equal,
}

/// The steps of posting a webhook, by what the receiver has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookStep {
    /// It is connected and has not read the request.
    Unread,
    /// It has read the request.
    Unanswered,
    /// It has sent a part of its answer.
    HalfAnswered,
    /// It has answered, and the database does not take the result.
    Unrecorded,
}

impl HookStep {
    /// All steps, in their order.
    pub const ALL: [Self; 4] = [Self::Unread, Self::Unanswered, Self::HalfAnswered, Self::Unrecorded];

    fn name(self) -> &'static str {
        match self {
            Self::Unread => "before the receiver reads it",
            Self::Unanswered => "before the receiver answers",
            Self::HalfAnswered => "in the middle of the answer",
            Self::Unrecorded => "before the result is stored",
        }
    }
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

    pub(super) fn act(self) -> Act {
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
            Self::FailOver => f.write_str("Postgres killed, its standby promoted"),
            Self::OddReply(verb) => write!(f, "odd replies that mean yes at {}", name(*verb)),
            Self::PoisonedRecipient => f.write_str("the relay says 421 for one recipient"),
            Self::SmallRelay => f.write_str("the relay allows 3 connections of 3 messages"),
            Self::PostgresRestarted => f.write_str("Postgres stopped and started"),
            Self::PostgresCrashed => f.write_str("Postgres crashed and started"),
            Self::BackendsTerminated => f.write_str("all backends terminated, five times"),
            Self::PostgresCut => f.write_str("connections to Postgres cut"),
            Self::PostgresStalled => f.write_str("Postgres unresponsive for 3 s"),
            Self::PostgresSlow => f.write_str("Postgres 30 ms away for 3 s"),
            Self::RedisRestarted => f.write_str("Redis stopped for 3 s and started"),
            Self::RedisFlushed => f.write_str("Redis flushed"),
            Self::RedisStalled => f.write_str("Redis unresponsive for 3 s"),
            Self::ClockStepped { ahead: true } => f.write_str("the workers' clock 5 h ahead for 3 s"),
            Self::ClockStepped { ahead: false } => f.write_str("the workers' clock 5 h behind for 3 s"),
            Self::Relay(verb, fault) => {
                let fault = match fault {
                    RelayFault::NotNow => "says 451",
                    RelayFault::Refuses => "says 554",
                    RelayFault::GoesAway => "says 421",
                    RelayFault::Stalls => "stalls",
                    RelayFault::Cuts => "hangs up",
                };
                write!(f, "the relay {fault} at {}", name(*verb))
            }
            Self::RelayDown => f.write_str("the relay down for 3 s"),
            Self::RelayLockedOut => f.write_str("the relay refuses the password for 3 s"),
            Self::FanOutKilled => f.write_str("kill −9 of the workers while they make webhook deliveries"),
            Self::CrowdKilled => {
                f.write_str("kill −9 of the workers while they tell 990 endpoints, 99 of them silent")
            }
            Self::HookKilledAt(step) => write!(f, "kill −9 of the workers at a webhook, {}", step.name()),
            Self::HookTerminated => f.write_str("SIGTERM to the workers at a webhook"),
            Self::HookFrozen => f.write_str("SIGSTOP of a worker at a webhook, past its lease"),
            Self::HooksDown => f.write_str("a webhook receiver says 503 or nothing for 3 s"),
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
            Self::FailOver,
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
            Self::PoisonedRecipient,
            Self::SmallRelay,
            Self::RelayDown,
            Self::RelayLockedOut,
            Self::FanOutKilled,
            Self::CrowdKilled,
            Self::HookTerminated,
            Self::HookFrozen,
            Self::HooksDown,
            Self::OneSlot,
            Self::Equal,
        ];
        all.extend(HookStep::ALL.map(Self::HookKilledAt));
        all.extend([Verb::Banner, Verb::Ehlo, Verb::Mail, Verb::Rcpt, Verb::Dot].map(Self::OddReply));
        for verb in POINTS {
            all.extend([Self::KilledAt(verb), Self::TerminatedAt(verb), Self::FrozenAt(verb)]);
        }
        for verb in [Verb::Banner, Verb::Ehlo, Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Dot] {
            all.extend(RelayFault::ALL.map(|fault| Self::Relay(verb, fault)));
        }
        all
    }
}
