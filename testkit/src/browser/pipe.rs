//! The `DevTools` protocol over a pipe: JSON, each message ended by a zero byte.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Timeout of every command.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Passes our two pipes to the browser as file descriptors 3 and 4.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox", // it opens our own pages only, and root has no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--lang=en",
];

/// A browser process and its pipe. The browser ends when the pipe closes.
pub(super) struct Pipe {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The session of the only tab, once attached.
    session: Option<String>,
    last_id: u64,
    /// Number of pages loaded.
    loads: u64,
}

impl Pipe {
    pub(super) fn open(program: &Path, profile: &Path) -> Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", START])
            .arg(program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the browser")?;
        let commands = child.stdin.take().context("the browser has no input")?;
        let answers = BufReader::new(child.stdout.take().context("the browser has no output")?);
        Ok(Self { child, commands, answers, session: None, last_id: 0, loads: 0 })
    }

    /// Sends further commands to this session.
    pub(super) fn attach(&mut self, session: String) {
        self.session = Some(session);
    }

    /// Number of pages loaded.
    pub(super) fn loads(&self) -> u64 {
        self.loads
    }

    /// Waits until more pages than this have loaded.
    pub(super) async fn loaded_after(&mut self, loads: u64) -> Result<()> {
        while self.loads <= loads {
            self.next(is_load).await.context("waiting for the page that follows")?;
        }
        Ok(())
    }

    /// Sends a command and returns the browser's answer.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        self.ask(method, params).await.with_context(|| format!("the browser, asked for {method}"))
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&command)?;
        bytes.push(0);
        self.commands.write_all(&bytes).await?;
        let mut answer = self.next(|message| message["id"] == id).await?;
        if let Some(error) = answer["error"]["message"].as_str() {
            bail!("{error}");
        }
        Ok(answer["result"].take())
    }

    async fn next(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let reading = async {
            loop {
                let mut bytes = Vec::new();
                if self.answers.read_until(0, &mut bytes).await? == 0 {
                    bail!("it has ended");
                }
                bytes.pop();
                let message = serde_json::from_slice(&bytes)?;
                self.loads += u64::from(is_load(&message));
                if wanted(&message) {
                    return Ok(message);
                }
            }
        };
        timeout(WAIT_TIMEOUT, reading).await.unwrap_or_else(|_| bail!("it does not answer"))
    }

    /// Ends the browser and waits until it has released its files.
    pub(super) async fn close(mut self) -> Result<()> {
        self.session = None;
        self.call("Browser.close", json!({})).await?;
        timeout(WAIT_TIMEOUT, self.child.wait()).await.context("the browser does not end")??;
        Ok(())
    }
}

fn is_load(message: &Value) -> bool {
    message["method"] == "Page.loadEventFired"
}
