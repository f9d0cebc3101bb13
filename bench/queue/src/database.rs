//! Separate databases for each measurement, on one server.

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The Postgres that all contenders share.
pub struct Server {
    url: String,
}

impl Server {
    /// Takes the URL of any database of the server.
    pub async fn connect(url: &str) -> Result<Self> {
        let server = Self { url: url.to_owned() };
        server.execute("postgres", "SELECT 1").await.context("Postgres can't be reached")?;
        Ok(server)
    }

    /// An empty database with this name; an old one is dropped.
    pub async fn fresh(&self, name: &str) -> Result<String> {
        self.drop(name).await?;
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await?;
        self.url_of(name)
    }

    /// Drops a database with its connections.
    pub async fn drop(&self, name: &str) -> Result<()> {
        self.execute("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    }

    /// Finishes deferred work before a measurement: statistics, dead rows, dirty pages.
    pub async fn settle(&self, name: &str) -> Result<()> {
        self.execute(name, "VACUUM (ANALYZE)").await?;
        self.execute(name, "CHECKPOINT").await
    }

    /// The value of one of its settings.
    pub async fn setting(&self, name: &str) -> Result<String> {
        let mut conn = PgConnection::connect(&self.url_of("postgres")?).await?;
        let value = sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok(value)
    }

    async fn execute(&self, database: &str, statement: &str) -> Result<()> {
        let mut conn = PgConnection::connect(&self.url_of(database)?).await?;
        conn.execute(AssertSqlSafe(statement.to_owned())).await?;
        conn.close().await?;
        Ok(())
    }

    fn url_of(&self, database: &str) -> Result<String> {
        let (base, _) = self.url.rsplit_once('/').context("the database URL names a database")?;
        Ok(format!("{base}/{database}"))
    }
}
