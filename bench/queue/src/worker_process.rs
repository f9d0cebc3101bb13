//! A worker process as a child.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::contenders::{WakeUp, Which};
use crate::recorder::{Line, Watch};

/// A running `work`; it is killed with the value.
pub struct WorkerProcess {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl WorkerProcess {
    /// Starts one worker process of a contender.
    pub fn start(
        which: Which,
        database_url: &str,
        redis_url: &str,
        wake_up: WakeUp,
        watch: Watch,
    ) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["work", which.argument(), "--database-url", database_url]);
        command.args(["--watch", watch.argument()]);
        match wake_up {
            WakeUp::Notified => command.args(["--redis-url", redis_url]),
            WakeUp::Polling => command.arg("--polling"),
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().context("the worker's output is a pipe")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// Its next report; `None` after this time without one.
    pub async fn next(&mut self, time_limit: Duration) -> Result<Option<Line>> {
        let next = async {
            loop {
                let text = self.lines.next_line().await?.context("the worker process has ended")?;
                if let Some(line) = Line::read(&text) {
                    return anyhow::Ok(line);
                }
            }
        };
        timeout(time_limit, next).await.ok().transpose()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills it and waits until it has ended.
    pub async fn end(mut self) -> Result<()> {
        self.child.kill().await.context("the worker process can't be ended")
    }
}
