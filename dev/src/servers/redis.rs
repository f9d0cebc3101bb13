//! A Redis server of our own. What it holds may always be lost, so it writes nothing to disk.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::process::{self, Identity};

const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A running Redis on 127.0.0.1.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    identity: Identity,
    port: u16,
}

impl RedisServer {
    /// Starts a server; its log and its working directory are in `folder`.
    ///
    /// # Errors
    /// When it does not answer; what it said is in the message.
    pub async fn start(program: &Path, folder: &Path, port: u16) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log: PathBuf = folder.join(format!("redis-{port}.log"));
        let output = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let identity = child.id().and_then(Identity::of).context("redis ended at once")?;
        if let Err(error) = wait_until_ready(&mut child, port).await {
            let _ = child.kill().await;
            return Err(error.context(fs::read_to_string(&log).unwrap_or_default()));
        }
        Ok(Self { child, identity, port })
    }

    /// Connection URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the server has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn stop(mut self) -> Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        process::send(self.identity.pid, Signal::TERM, false)?;
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            process::send(self.identity.pid, Signal::KILL, false)?;
            self.child.wait().await?;
        }
        Ok(())
    }
}

async fn wait_until_ready(child: &mut Child, port: u16) -> Result<()> {
    timeout(START_TIMEOUT, async {
        loop {
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("redis ended with {status}");
            }
            if answers(port).await {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .context("redis does not answer")?
}

async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return false };
    let mut reply = [0_u8; 7];
    stream.write_all(b"PING\r\n").await.is_ok()
        && stream.read_exact(&mut reply).await.is_ok()
        && &reply == b"+PONG\r\n"
}
