//! A database for one test.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context as _, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::OnceCell;

use super::client::Client;
use crate::schema;

/// A database that one test has to itself, with the schemas of queue and core. It is dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
    url: String,
    pool: PgPool,
}

impl TestDatabase {
    /// Makes a migrated database: a copy of a template that the first test of the run migrates.
    ///
    /// # Panics
    /// When the server refuses; without a server the test process ends with status 2 and the commands to install one.
    pub async fn create() -> Self {
        Self::try_create(true).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// Makes a database without any schema, for tests of the migrations themselves.
    ///
    /// # Panics
    /// As [`TestDatabase::create`].
    pub async fn create_empty() -> Self {
        Self::try_create(false).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// Makes a migrated database on the server at `server`, the URL of its maintenance database.
    pub(super) async fn create_on(server: &str, name: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(server).await?;
        create_database(&mut connection, name, "template0").await?;
        connection.close().await?;
        let url = with_database(server, name)?;
        let mut migrating = PgConnection::connect(&url).await?;
        schema::migrate(&mut migrating).await.context("the migrations fail")?;
        migrating.close().await?;
        let pool = PgPoolOptions::new().max_connections(20).connect_lazy_with(url.parse()?);
        Ok(Self { server: server.to_owned(), name: name.to_owned(), url, pool })
    }

    /// The same database on another server, such as a promoted standby.
    pub(super) fn on(&self, server: &str) -> Result<Self> {
        let url = with_database(server, &self.name)?;
        let pool = PgPoolOptions::new().max_connections(20).connect_lazy_with(url.parse()?);
        Ok(Self { server: server.to_owned(), name: self.name.clone(), url, pool })
    }

    /// Connection URL, with password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A pool of up to 20 connections, opened as needed.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn try_create(migrated: bool) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let servers = &Client::get().await.servers;
        let template =
            if migrated { template(&servers.postgres, &servers.prefix).await? } else { "template0" };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{}_{count}", servers.prefix, std::process::id());
        let mut connection = PgConnection::connect(&servers.postgres).await?;
        create_database(&mut connection, &name, template).await?;
        connection.close().await?;
        let url = with_database(&servers.postgres, &name)?;
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new().max_connections(20).connect_lazy_with(options);
        Ok(Self { server: servers.postgres.clone(), name, url, pool })
    }
}

impl Drop for TestDatabase {
    /// Drops the database in a thread of its own: a destructor cannot wait in the test's runtime.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                connection.execute(AssertSqlSafe(statement)).await?;
                connection.close().await?;
                anyhow::Ok(())
            })
        });
        // What could not be dropped here the guard drops at the end of the run.
        let _ = dropping.join();
    }
}

/// Name of the template, made by whichever process of the run comes first.
async fn template(server: &str, prefix: &str) -> Result<&'static str> {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let name = TEMPLATE.get_or_try_init(|| make_template(server, prefix)).await?;
    Ok(name)
}

async fn make_template(server: &str, prefix: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    schema::fingerprint().hash(&mut hasher);
    let name = format!("{prefix}template_{:016x}", hasher.finish());
    let mut connection = PgConnection::connect(server).await?;
    // Held until this connection closes, so that another process of the run waits for a finished template.
    connection.execute("SELECT pg_advisory_lock(hashtext('punctual tests'))").await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        let unfinished = format!("{name}_unfinished");
        let statement = format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)");
        connection.execute(AssertSqlSafe(statement)).await?;
        create_database(&mut connection, &unfinished, "template0").await?;
        let mut migrating = PgConnection::connect(&with_database(server, &unfinished)?).await?;
        schema::migrate(&mut migrating).await.context("the migrations fail")?;
        migrating.close().await?;
        let statement = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    connection.close().await?;
    Ok(name)
}

async fn create_database(connection: &mut PgConnection, name: &str, template: &str) -> Result<()> {
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    connection.execute(AssertSqlSafe(statement)).await?;
    Ok(())
}

/// The URL of another database on the same server.
fn with_database(server: &str, database: &str) -> Result<String> {
    let (address, query) =
        server.split_once('?').map_or((server, None), |(address, query)| (address, Some(query)));
    let authority_start = address.find("://").context("a database URL begins with postgres://")? + 3;
    let authority_end = address[authority_start..].find('/').map_or(address.len(), |at| authority_start + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}/{database}{query}", &address[..authority_end]))
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_database_changes() {
        let changed = |url| with_database(url, "x").unwrap();
        assert_eq!(changed("postgres://u:p@h:1/db"), "postgres://u:p@h:1/x");
        assert_eq!(changed("postgres://u:p@h:1"), "postgres://u:p@h:1/x");
        assert_eq!(changed("postgres://h/db?sslmode=require"), "postgres://h/x?sslmode=require");
    }
}
