//! A Postgres cluster for one test.

use super::TestDatabase;
use super::client::{Client, eprint_uncaptured};
use super::message::{Reply, Request};

/// A Postgres cluster that one test has to itself, with one migrated database: it may stop, crash and start again. It
/// ends with the test process.
#[derive(Debug)]
pub struct TestPostgres {
    port: u16,
    database: TestDatabase,
}

impl TestPostgres {
    /// Makes and starts a cluster, or answers `None` after saying so where the tests run on a server that was named.
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
        let database = TestDatabase::create_on(&url).await;
        let database = database.unwrap_or_else(|error| panic!("no database on the cluster: {error:#}"));
        Some(Self { port, database })
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

    /// Stops it as if the machine had lost power.
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

async fn start(port: Option<u16>) -> (u16, String) {
    match Client::get().await.ask(Request::StartPostgres { port }).await {
        Ok(Reply::Postgres { port, url }) => (port, url),
        reply => panic!("Postgres does not start: {reply:?}"),
    }
}
