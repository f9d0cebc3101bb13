//! Operator commands: show and change queues, jobs, workers and webhooks. Changes are audited, as those over the API are.

mod act;
mod limit;
mod mails;
mod show;
mod table;
mod webhooks;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use punctual_core::config::{Config, Secret};
use punctual_core::pool::{self, PoolSettings};
use punctual_core::{Core, Error, migrate};
use punctual_queue::{JobId, ServerClock, Wake};
use uuid::Uuid;

use super::Failure;
use limit::LimitChange;
use webhooks::WebhooksCommand;

/// Exit code: no such job, queue, endpoint or delivery.
const NOT_FOUND: u8 = 3;
/// Exit code: the job's state does not allow it.
const NOT_ELIGIBLE: u8 = 4;

/// The operator commands.
#[derive(Subcommand)]
pub enum Operate {
    /// Queues: how many jobs are in each state, how long the oldest due has waited, pauses and limits
    Queues {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do; without it they are listed
        #[command(subcommand)]
        command: Option<QueuesCommand>,
    },
    /// Jobs: list, show, retry, cancel, discard
    Jobs {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// The mail server: workers whose circuit is open, and how late mails are
    Relay {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do; without it the state is shown
        #[command(subcommand)]
        command: Option<RelayCommand>,
    },
    /// Mails that failed or are in doubt and that only a person may send again
    Mails {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do; without it they are listed
        #[command(subcommand)]
        command: Option<MailsCommand>,
    },
    /// Workers that live, with their heartbeats, and which one leads
    Workers {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Webhook endpoints: list them, show deliveries, post again
    Webhooks {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do; without it they are listed
        #[command(subcommand)]
        command: Option<WebhooksCommand>,
    },
    /// What operators did, the last first
    Actions {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
        /// To this job only
        #[arg(long, value_name = "ID")]
        job: Option<i64>,
        /// How many, up to 100
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
}

/// On the mail server.
#[derive(Subcommand)]
pub enum RelayCommand {
    /// Test the mail server now instead of after the pause: the mails that wait are due, and the first one is the test
    Probe,
}

/// On mails.
#[derive(Subcommand)]
pub enum MailsCommand {
    /// Send mails again, with the same Message-ID
    Resend {
        /// Their ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<Uuid>,
    },
}

/// Changes to queues.
#[derive(Subcommand)]
pub enum QueuesCommand {
    /// Begin no job of a queue until it is resumed; what runs is finished
    Pause {
        /// The queue
        queue: String,
    },
    /// Undo a pause
    Resume {
        /// The queue
        queue: String,
    },
    /// Limit how many jobs begin in a time, over all workers
    Limit {
        /// The queue
        queue: String,
        /// Of the whole queue: 50/s, 600/m or 1000/h, :5 behind it for a burst of 5, or `none` for what the workers are
        /// configured with
        #[arg(long, value_name = "LIMIT", required_unless_present = "key_limit")]
        limit: Option<LimitChange>,
        /// Of jobs with one limit key; of mails, that is the recipient's domain, of webhooks the endpoint
        #[arg(long, value_name = "LIMIT")]
        key_limit: Option<LimitChange>,
    },
}

/// Commands on jobs.
#[derive(Subcommand)]
pub enum JobsCommand {
    /// List the jobs in a state
    List(ListArguments),
    /// One job with its history of errors
    Show {
        /// Its id
        id: i64,
    },
    /// Run jobs now, whether they wait or have ended; a mail that was sent or given up is not sent again by this, but by
    /// `mails resend`
    Retry(Targets),
    /// End live jobs as cancelled; a mail that is ended so is not sent. For many: the ids that `jobs list --json` prints
    Cancel(Targets),
    /// End live jobs as discarded
    Discard(Targets),
}

/// Which jobs to list.
#[derive(Args)]
pub struct ListArguments {
    /// scheduled, available, running, retryable, completed, discarded or cancelled
    #[arg(long, default_value = "retryable", value_parser = show::state)]
    state: punctual_queue::JobState,
    /// Of this queue only
    #[arg(long)]
    queue: Option<String>,
    /// Of this kind only
    #[arg(long)]
    kind: Option<String>,
    /// What the unique key, the limit key, the note, the last error or the payload contains
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// How many, up to 100
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// The cursor printed under the page before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Jobs by their ids, or all that match.
#[derive(Args)]
pub struct Targets {
    /// Their ids
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
    ids: Vec<i64>,
    /// All jobs that match the following instead, up to 500 at a time
    #[arg(long, requires = "state")]
    all: bool,
    /// scheduled, available, running, retryable, completed, discarded or cancelled
    #[arg(long, requires = "all", value_parser = show::state)]
    state: Option<punctual_queue::JobState>,
    /// Of this queue only
    #[arg(long, requires = "all")]
    queue: Option<String>,
    /// Of this kind only
    #[arg(long, requires = "all")]
    kind: Option<String>,
    /// What the unique key, the limit key, the note, the last error or the payload contains
    #[arg(long, requires = "all", value_name = "TEXT")]
    search: Option<String>,
}

/// Runs an operator command. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no such job, queue, endpoint or
/// delivery, 4 the job's state does not allow it.
pub async fn run(config: &Config, operate: Operate) -> Result<ExitCode, Failure> {
    let settings = PoolSettings {
        program: "punctual-worker operate",
        connections: 1,
        statement_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let mut conn = pool.acquire().await?;
    migrate::check(&mut conn).await?;
    let prefix = punctual_queue::redis_prefix(&mut conn).await?;
    let clock = ServerClock::start_on(&mut conn, &pool).await?;
    drop(conn);
    let wake = Wake::connect_with(config.redis_url.as_ref().map(Secret::expose), &prefix)?;
    let core = Core::new(pool, clock, wake);
    let done = match operate {
        Operate::Queues { json, command: None } => show::queues(&core, json).await,
        Operate::Queues { json, command: Some(command) } => act::on_queue(&core, json, command).await,
        Operate::Jobs { json, command: JobsCommand::List(wanted) } => show::jobs(&core, json, wanted).await,
        Operate::Jobs { json, command: JobsCommand::Show { id } } => show::job(&core, json, JobId(id)).await,
        Operate::Jobs { json, command } => act::on_jobs(&core, json, command).await,
        Operate::Relay { json, command: None } => mails::relay(&core, json).await,
        Operate::Relay { json, command: Some(RelayCommand::Probe) } => act::probe(&core, json).await,
        Operate::Mails { json, command: None } => mails::mails(&core, json).await,
        Operate::Mails { json, command: Some(MailsCommand::Resend { ids }) } => {
            act::resend(&core, json, &ids).await
        }
        Operate::Webhooks { json, command } => webhooks::run(&core, json, command).await,
        Operate::Workers { json } => show::workers(&core, json).await,
        Operate::Actions { json, job, limit } => show::actions(&core, json, job.map(JobId), limit).await,
    };
    core.pool.close().await;
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Error::NotFound(what)) => {
            eprintln!("punctual-worker: there is no such {what}");
            Ok(ExitCode::from(NOT_FOUND))
        }
        Err(Error::NotResendable(why)) => {
            eprintln!("punctual-worker: the mail cannot be sent again: {why}");
            Ok(ExitCode::from(NOT_ELIGIBLE))
        }
        Err(Error::JobNotEligible(why)) => {
            eprintln!("punctual-worker: the job's state does not allow this: {why}");
            Ok(ExitCode::from(NOT_ELIGIBLE))
        }
        Err(error) => Err(error.into()),
    }
}
