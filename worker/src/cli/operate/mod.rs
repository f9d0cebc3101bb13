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
use punctual_core::{Core, Error, migrate, sandbox};
use punctual_queue::{JobId, Wake};
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
    /// Queues: jobs by state, delay of the oldest due job, pauses and limits
    Queues {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do [default: list]
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
    /// Mail server: workers whose circuit is open, and how late mails are
    Relay {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do [default: show the state]
        #[command(subcommand)]
        command: Option<RelayCommand>,
    },
    /// Mails that failed or are in doubt, and can only be resent by hand
    Mails {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do [default: list]
        #[command(subcommand)]
        command: Option<MailsCommand>,
    },
    /// Running workers, their heartbeats, and the leader
    Workers {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Webhook endpoints: list, show deliveries, test, replay
    Webhooks {
        /// Print JSON instead of a table
        #[arg(long, global = true)]
        json: bool,
        /// What to do [default: list]
        #[command(subcommand)]
        command: Option<WebhooksCommand>,
    },
    /// Actions of operators, newest first
    Actions {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
        /// Only actions on this job
        #[arg(long, value_name = "ID")]
        job: Option<i64>,
        /// Number of rows, up to 100
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
}

/// On the mail server.
#[derive(Subcommand)]
pub enum RelayCommand {
    /// Retry waiting mails now; the first one tests the mail server
    Probe,
}

/// On mails.
#[derive(Subcommand)]
pub enum MailsCommand {
    /// Send mails again, with the same Message-ID
    Resend {
        /// Ids of notifications
        #[arg(required = true, value_name = "ID")]
        ids: Vec<Uuid>,
    },
}

/// Changes to queues.
#[derive(Subcommand)]
pub enum QueuesCommand {
    /// Start no job of a queue until it is resumed; running jobs finish
    Pause {
        /// Name of the queue
        queue: String,
    },
    /// Resume a paused queue
    Resume {
        /// Name of the queue
        queue: String,
    },
    /// Limit how many jobs start in a time, over all workers
    Limit {
        /// Name of the queue
        queue: String,
        /// Limit of the queue: 50/s, 600/m or 1000/h, with a burst 600/m:5 [default: 1]; none: the workers' own
        #[arg(long, value_name = "LIMIT", required_unless_present = "key_limit")]
        limit: Option<LimitChange>,
        /// Limit per key, in the same form; the key of mails is the recipient's domain, of webhooks the endpoint
        #[arg(long, value_name = "LIMIT")]
        key_limit: Option<LimitChange>,
    },
}

/// Commands on jobs.
#[derive(Subcommand)]
pub enum JobsCommand {
    /// List jobs in a state
    List(ListArguments),
    /// Show a job and its errors
    Show {
        /// Id of the job
        id: i64,
    },
    /// Make waiting or ended jobs due now; for a mail that has ended use `mails resend`
    Retry(Targets),
    /// End jobs as cancelled; their mails are not sent
    Cancel(Targets),
    /// End jobs as discarded; their mails are not sent
    Discard(Targets),
}

/// Which jobs to list.
#[derive(Args)]
pub struct ListArguments {
    /// State: scheduled, available, running, retryable, completed, discarded or cancelled
    #[arg(long, default_value = "retryable", value_parser = show::state)]
    state: punctual_queue::JobState,
    /// Only this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only this kind
    #[arg(long)]
    kind: Option<String>,
    /// Text in the unique key, limit key, note, last error or payload
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Number of rows, up to 100
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Continue after the cursor that the previous page printed
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Jobs by their ids, or all that match.
#[derive(Args)]
pub struct Targets {
    /// Ids of jobs
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
    ids: Vec<i64>,
    /// All jobs that match the filters, up to 500 at a time
    #[arg(long, requires = "state")]
    all: bool,
    /// State: scheduled, available, running, retryable, completed, discarded or cancelled
    #[arg(long, requires = "all", value_parser = show::state)]
    state: Option<punctual_queue::JobState>,
    /// Only this queue
    #[arg(long, requires = "all")]
    queue: Option<String>,
    /// Only this kind
    #[arg(long, requires = "all")]
    kind: Option<String>,
    /// Text in the unique key, limit key, note, last error or payload
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
    let clock = sandbox::follow_clock(&mut conn, &pool).await?;
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
