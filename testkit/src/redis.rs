//! A Redis for one test.

use super::client::Client;
use super::message::{Reply, Request};
use super::require::Tool;

/// A Redis process for one test: it can stop, restart, be flushed or frozen. It ends with the value.
#[derive(Debug)]
pub struct TestRedis {
    port: u16,
    pid: u32,
}

impl TestRedis {
    /// Starts a server, or returns `None` where there is no Redis and none can be installed: the calling test is skipped
    /// (see [`Tool::skip`]).
    ///
    /// # Panics
    /// When there is a Redis and it does not start.
    pub async fn start() -> Option<Self> {
        if !Client::get().await.servers.redis {
            Tool::Redis.skip("Redis, and none could be installed");
            return None;
        }
        let (port, pid) = start(None).await;
        Some(Self { port, pid })
    }

    /// Connection URL; the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Process id, for signals.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Stops the server; its data is lost.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub async fn stop(&mut self) {
        let reply = Client::get().await.ask(Request::StopRedis { port: self.port }).await;
        assert!(matches!(reply, Ok(Reply::Stopped)), "{reply:?}");
    }

    /// Starts it again, empty, on the same port.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn start_again(&mut self) {
        (_, self.pid) = start(Some(self.port)).await;
    }
}

async fn start(port: Option<u16>) -> (u16, u32) {
    match Client::get().await.ask(Request::StartRedis { port }).await {
        Ok(Reply::Redis { port, pid }) => (port, pid),
        reply => panic!("Redis does not start: {reply:?}"),
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        Client::send_on_drop(Request::StopRedis { port: self.port });
    }
}
