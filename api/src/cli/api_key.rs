use std::{process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use punctual_core::{
    Core, Error,
    api_keys::{self, NewApiKey, Scope},
    config::{Config, Secret},
    pool::{self, PoolSettings},
    sandbox,
    types::{Label, PageSize},
};
use punctual_queue::Wake;
use uuid::Uuid;

use super::Failure;

/// Commands on API keys.
#[derive(Subcommand)]
pub enum ApiKeyCommand {
    /// Create a key and print it; it cannot be shown again
    Create {
        /// Name of the program or purpose
        name: String,
        /// What the key may do, such as bookings:read; repeatable
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
        /// When the key expires, such as 2027-05-04T10:00:00Z [default: never]
        #[arg(long, value_name = "INSTANT")]
        expires: Option<DateTime<Utc>>,
    },
    /// List keys, newest first
    List,
    /// Revoke a key; its next request is refused
    Revoke {
        /// Id of the key
        id: Uuid,
    },
}

/// Runs a command on API keys.
pub async fn run(config: &Config, command: ApiKeyCommand) -> Result<ExitCode, Failure> {
    let settings = PoolSettings {
        program: "punctual-api api-key",
        connections: 1,
        statement_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(config.database_url()?.expose(), &settings)?;
    let mut conn = pool.acquire().await?;
    let clock = sandbox::follow_clock(&mut conn, &pool).await?;
    let prefix = punctual_queue::redis_prefix(&mut conn).await?;
    drop(conn);
    let wake = Wake::connect_with(config.redis_url.as_ref().map(Secret::expose), &prefix)?;
    let core = Core::new(pool, clock, wake);
    match command {
        ApiKeyCommand::Create { name, scopes, expires } => {
            let new = NewApiKey { name: Label::parse(&name)?, scopes, expires_at: expires };
            let (key, secret) = api_keys::create(&core, new, rand::random()).await?;
            eprintln!("{} was created. It is shown only once:", key.id);
            println!("{}", secret.display());
        }
        ApiKeyCommand::List => {
            let mut before = None;
            loop {
                let page = api_keys::list(&core.pool, PageSize::default(), before).await?;
                for key in page.data {
                    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                    let ended = if key.revoked_at.is_some() { "revoked" } else { "" };
                    println!("{}  {}  {}  {ended}", key.id, scopes.join(","), key.name);
                }
                before = page.next_cursor;
                if before.is_none() {
                    break;
                }
            }
        }
        ApiKeyCommand::Revoke { id } => match api_keys::revoke(&core, id).await {
            Err(Error::NotFound(what)) => return Err(format!("there is no such {what}").into()),
            revoked => revoked?,
        },
    }
    Ok(ExitCode::SUCCESS)
}
