//! A local Redis server. Its data is disposable, so it writes nothing to disk.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

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
    /// When it does not answer; its output is in the message.
    pub fn start(program: &Path, folder: &Path, port: u16) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log: PathBuf = folder.join(format!("redis-{port}.log"));
        let output = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let identity = Identity::of(child.id()).context("redis ended at once")?;
        let mut server = Self { child, identity, port };
        match server.wait_until_ready() {
            Ok(()) => Ok(server),
            Err(error) => Err(error.context(fs::read_to_string(&log).unwrap_or_default())),
        }
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
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        process::send(self.identity.pid, Signal::TERM, false)?;
        if !process::ends_within(&mut self.child, STOP_TIMEOUT)? {
            process::send(self.identity.pid, Signal::KILL, false)?;
            self.child.wait()?;
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("redis ended with {status}");
            }
            if answers(self.port) {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        anyhow::bail!("redis does not answer")
    }
}

impl Drop for RedisServer {
    /// A server must not outlive its owner.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut reply = [0_u8; 7];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut reply).is_ok()
        && &reply == b"+PONG\r\n"
}
