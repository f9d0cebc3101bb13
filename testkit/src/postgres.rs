//! A Postgres cluster for one test.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::TestDatabase;
use super::client::{Client, eprint_uncaptured};
use super::message::{Reply, Request};

/// How long a standby may take until it follows.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(30);

/// A Postgres cluster that one test has to itself, with one migrated database: it may stop, crash and start again. It
/// ends with the test process.
#[derive(Debug)]
pub struct TestPostgres {
    port: u16,
    url: String,
    database: TestDatabase,
}

impl TestPostgres {
    /// Creates and starts a cluster; `None`, with a message, where the tests use a configured server.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        if !Client::get().await.servers.clusters {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            eprint_uncaptured(&format!("skipped, as the server is not ours to stop: {test}\n"));
            return None;
        }
        let (port, url) = start(None).await;
        let database = TestDatabase::create_on(&url, "punctual").await;
        let database = database.unwrap_or_else(|error| panic!("no database on the cluster: {error:#}"));
        Some(Self { port, url, database })
    }

    /// Its database.
    #[must_use]
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Stops it: connections are cut.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn stop(&self) {
        self.end(false).await;
    }

    /// Kills it without a shutdown, like a loss of power.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn crash(&self) {
        self.end(true).await;
    }

    async fn end(&self, crash: bool) {
        let reply = Client::get().await.ask(Request::StopPostgres { port: self.port, crash }).await;
        assert!(matches!(reply, Ok(Reply::Stopped)), "{reply:?}");
    }

    /// Starts it again on the port it had, with what was committed, and waits until it answers.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&self) {
        start(Some(self.port)).await;
    }
}

/// A synchronous standby of a [`TestPostgres`]: what the primary acknowledges is on both.
#[derive(Debug)]
pub struct TestStandby {
    port: u16,
    url: String,
}

impl TestPostgres {
    /// Starts a standby and makes the primary wait for it at each commit.
    ///
    /// # Panics
    /// When it does not start or does not follow.
    pub async fn standby(&self) -> TestStandby {
        let reply = Client::get().await.ask(Request::StartStandby { primary: self.port }).await;
        let Ok(Reply::Postgres { port, url }) = reply else { panic!("no standby: {reply:?}") };
        let pool = self.database.pool();
        for statement in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(pool).await.expect("the primary takes a setting");
        }
        let started = Instant::now();
        let following = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while sqlx::query_scalar::<_, i64>(following).fetch_one(pool).await.expect("the primary answers") == 0
        {
            assert!(started.elapsed() < FOLLOW_TIMEOUT, "the standby does not follow");
            sleep(Duration::from_millis(20)).await;
        }
        TestStandby { port, url }
    }

    /// Kills it as `kill -9` would.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn kill(&self) {
        let reply = Client::get().await.ask(Request::KillPostgres { port: self.port }).await;
        assert!(matches!(reply, Ok(Reply::Stopped)), "{reply:?}");
    }

    /// Where it listens: `127.0.0.1:…`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// One more migrated database on it.
    ///
    /// # Panics
    /// When it can't be made.
    pub async fn create_database(&self, name: &str) -> TestDatabase {
        let database = TestDatabase::create_on(&self.url, name).await;
        database.unwrap_or_else(|error| panic!("no database on the cluster: {error:#}"))
    }
}

impl TestStandby {
    /// Where it listens: `127.0.0.1:…`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Makes it the primary and waits until it is.
    ///
    /// # Panics
    /// When it can't be promoted.
    pub async fn promote(&self) {
        let mut conn = PgConnection::connect(&self.url).await.expect("the standby answers");
        // It would wait at each commit for a standby of its own.
        for statement in [
            "SELECT pg_promote(true, 30)",
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        ] {
            sqlx::raw_sql(statement).execute(&mut conn).await.expect("the standby can be promoted");
        }
    }

    /// Promotes it: from now on it is a cluster with the former primary's database.
    ///
    /// # Panics
    /// When it can't be promoted.
    pub async fn replace(self, former: &TestPostgres) -> TestPostgres {
        self.promote().await;
        let database = former.database.on(&self.url).expect("the URL of the standby");
        TestPostgres { port: self.port, url: self.url, database }
    }
}

async fn start(port: Option<u16>) -> (u16, String) {
    match Client::get().await.ask(Request::StartPostgres { port }).await {
        Ok(Reply::Postgres { port, url }) => (port, url),
        reply => panic!("Postgres does not start: {reply:?}"),
    }
}
