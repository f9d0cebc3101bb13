//! The servers of one run.

use std::env;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::leftovers::{self, Record};
use super::{SERVER_VARIABLE, say};
use crate::message::ServerList;
use punctual_launch::servers::{
    Account, Cluster, ClusterSettings, Consent, Needs, PostgresPrograms, RedisServer, install_commands,
    ports, provide,
};

/// Postgres, running, and what it takes to start a Redis.
pub(super) struct Servers {
    cluster: Option<Cluster>,
    url: String,
    prefix: String,
    redis: Option<PathBuf>,
    /// What clusters of single tests are started with.
    postgres: Option<PostgresPrograms>,
    folder: TempDir,
    record: Record,
}

impl Servers {
    /// Finds or installs the programs and starts Postgres, unless one was named.
    pub(super) async fn start(runtime_folder: &Path) -> Result<Self> {
        leftovers::end(runtime_folder)?;
        let given = env::var(SERVER_VARIABLE).ok();
        let needs = Needs { postgres: given.is_none(), redis: true };
        let programs = provide(needs, Consent::Silent, &say);
        // Postgres drops to an account that cannot reach the folders of root.
        let parent = if Account::for_postgres()?.is_some() { "/var/tmp".into() } else { env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("punctual-test-").tempdir_in(parent)?;
        let record = Record::new(runtime_folder, folder.path())?;
        let mut servers = Self {
            cluster: None,
            url: given.clone().unwrap_or_default(),
            prefix: format!("punctual_test_{}_", process::id()),
            redis: programs.redis,
            postgres: programs.postgres.clone().filter(|_| given.is_none()),
            folder,
            record,
        };
        if given.is_none() {
            let postgres = programs.postgres.with_context(|| {
                format!("Postgres 15 or newer is not installed. Install it with\n{}", install_commands(needs))
            })?;
            let settings = ClusterSettings {
                folder: servers.folder.path().join("postgres"),
                port: ports::free_port(),
                disposable: true,
                max_connections: 500,
            };
            make_enterable(servers.folder.path())?;
            let cluster = spawn_blocking(move || Cluster::start(&postgres, &settings)).await??;
            servers.record.add(cluster.identity())?;
            servers.url = cluster.url("postgres");
            servers.cluster = Some(cluster);
        }
        Ok(servers)
    }

    pub(super) fn list(&self) -> ServerList {
        ServerList {
            postgres: self.url.clone(),
            prefix: self.prefix.clone(),
            clusters: self.postgres.is_some(),
            redis: self.redis.is_some(),
        }
    }

    /// Starts one more Redis.
    pub(super) async fn start_redis(&self, port: u16) -> Result<RedisServer> {
        let program = self.redis.as_deref().context("there is no Redis")?;
        let (program, folder) = (program.to_owned(), self.folder.path().join("redis"));
        let redis = spawn_blocking(move || RedisServer::start(&program, &folder, port)).await??;
        self.record.add(redis.identity())?;
        Ok(redis)
    }

    /// Starts a cluster for one test, made first where there is none of this port. What it commits is on disk.
    pub(super) async fn start_cluster(&self, port: u16) -> Result<Cluster> {
        let postgres = self.postgres.clone().context("there are no clusters: a server was named")?;
        let folder = self.folder.path().join(format!("postgres-{port}"));
        let settings = ClusterSettings { folder, port, disposable: false, max_connections: 100 };
        let cluster = spawn_blocking(move || Cluster::start(&postgres, &settings)).await??;
        self.record.add(cluster.identity())?;
        Ok(cluster)
    }

    /// Starts a standby of a cluster of one test.
    pub(super) fn start_standby(&self, primary: &Cluster, port: u16) -> Result<Cluster> {
        let postgres = self.postgres.as_ref().context("there are no clusters: a server was named")?;
        let folder = self.folder.path().join(format!("postgres-{port}"));
        let settings = ClusterSettings { folder, port, disposable: false, max_connections: 100 };
        let cluster = primary.start_standby(postgres, &settings)?;
        self.record.add(cluster.identity())?;
        Ok(cluster)
    }

    /// Ends the cluster and removes its files; on a server that was named, drops the databases of this run.
    pub(super) async fn end(self) -> Result<()> {
        match self.cluster {
            Some(cluster) => cluster.abort()?,
            None => drop_databases(&self.url, &self.prefix).await?,
        }
        self.folder.close()?;
        self.record.remove();
        Ok(())
    }
}

/// The cluster's folder lies inside ours and belongs to another account.
fn make_enterable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?)
}

async fn drop_databases(url: &str, prefix: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
            .bind(prefix)
            .fetch_all(&mut connection)
            .await?;
    for name in names {
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    Ok(())
}
