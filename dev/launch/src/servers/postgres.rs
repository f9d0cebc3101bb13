//! A Postgres cluster of our own: made, started and stopped.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::account::Account;
use super::find::PostgresPrograms;
use super::process::{self, Identity};

/// Name of the superuser, and of nothing else.
const USER: &str = "punctual";
const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Configuration of a cluster.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// Folder of its own; as root it is given to the account Postgres runs under.
    pub folder: PathBuf,
    /// TCP port on 127.0.0.1.
    pub port: u16,
    /// Whether data may be lost in a crash: no fsync, for tests only.
    pub disposable: bool,
    /// Connections it takes.
    pub max_connections: u32,
}

/// A running cluster. It listens on 127.0.0.1 only, has no unix socket and asks for a password.
#[derive(Debug)]
pub struct Cluster {
    child: Child,
    identity: Identity,
    password: String,
    port: u16,
}

impl Cluster {
    /// Starts the cluster in its folder; creates the folder if it does not exist.
    ///
    /// # Errors
    /// When a program fails; the end of its log is in the message.
    pub fn start(programs: &PostgresPrograms, settings: &ClusterSettings) -> Result<Self> {
        let account = Account::for_postgres()?;
        let data = settings.folder.join("data");
        if !data.join("PG_VERSION").is_file() {
            create(programs, settings, account)?;
        }
        let version = fs::read_to_string(data.join("PG_VERSION"))?;
        anyhow::ensure!(
            version.trim() == programs.version.to_string(),
            "the data is of Postgres {}, found is {}: install that one, or drop the data with `cargo dev reset`",
            version.trim(),
            programs.version
        );
        let password = fs::read_to_string(settings.folder.join("password"))?;
        let log = settings.folder.join("postgres.log");
        let mut command = command_as(&programs.postgres, account, &settings.folder);
        command.arg("-D").arg(&data);
        for (name, value) in server_settings(settings) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let output = open_log(&log, account)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let child = command.spawn().context("cannot start postgres")?;
        let identity = Identity::of(child.id()).context("postgres ended at once")?;
        let mut cluster = Self { child, identity, password, port: settings.port };
        match cluster.wait_until_ready(&programs.pg_isready) {
            Ok(()) => Ok(cluster),
            Err(error) => Err(error.context(format!("postgres does not start:\n{}", tail(&log)))),
        }
    }

    /// Makes and starts a standby in its own folder, which follows this cluster by streaming replication.
    ///
    /// # Errors
    /// When a program fails; the end of its log is in the message.
    pub fn start_standby(&self, programs: &PostgresPrograms, settings: &ClusterSettings) -> Result<Self> {
        let account = Account::for_postgres()?;
        let folder = &settings.folder;
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let password_file = folder.join("password");
        fs::write(&password_file, &self.password)?;
        if let Some(account) = account {
            account.own(folder)?;
            account.own(&password_file)?;
        }
        let mut command = command_as(&programs.initdb.with_file_name("pg_basebackup"), account, folder);
        command
            .env("PGPASSWORD", &self.password)
            .args(["-h", "127.0.0.1", "-U", USER, "-R", "-X", "stream", "-c", "fast", "-p"])
            .arg(self.port.to_string())
            .arg("-D")
            .arg(folder.join("data"));
        let output = command.stdin(Stdio::null()).output().context("cannot run pg_basebackup")?;
        anyhow::ensure!(
            output.status.success(),
            "pg_basebackup fails: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self::start(programs, settings)
    }

    /// Kills the server as `kill -9` would. Its sessions end when they notice.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(mut self) -> Result<()> {
        process::send(self.identity.pid, Signal::KILL, true)?;
        self.child.wait()?;
        Ok(())
    }

    /// Connection URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.password, self.port, database)
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

    /// Stops it: connections are closed, what is committed is on disk.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn stop(mut self) -> Result<()> {
        self.end(Signal::INT)
    }

    /// Kills it without a shutdown, like a loss of power.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn abort(mut self) -> Result<()> {
        self.end(Signal::QUIT)
    }

    fn end(&mut self, signal: Signal) -> Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        process::send(self.identity.pid, signal, false)?;
        if !process::ends_within(&mut self.child, STOP_TIMEOUT)? {
            process::send(self.identity.pid, Signal::KILL, true)?;
            self.child.wait()?;
        }
        Ok(())
    }

    fn wait_until_ready(&mut self, pg_isready: &Path) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("it ended with {status}");
            }
            let mut question = Command::new(pg_isready);
            question.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if question.status().context("cannot run pg_isready")?.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        anyhow::bail!("it takes no connections")
    }
}

impl Drop for Cluster {
    /// The server must not outlive its owner.
    fn drop(&mut self) {
        let _ = self.end(Signal::QUIT);
    }
}

fn url(password: &str, port: u16, database: &str) -> String {
    format!("postgres://{USER}:{password}@127.0.0.1:{port}/{database}")
}

fn server_settings(settings: &ClusterSettings) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("listen_addresses", "127.0.0.1".to_owned()),
        ("port", settings.port.to_string()),
        ("unix_socket_directories", String::new()),
        ("max_connections", settings.max_connections.to_string()),
        ("log_min_messages", "warning".to_owned()),
    ];
    if settings.disposable {
        let off = ["fsync", "synchronous_commit", "full_page_writes"].map(|name| (name, "off".to_owned()));
        pairs.extend(off);
        pairs.push(("max_wal_size", "4GB".to_owned()));
    }
    pairs
}

fn create(programs: &PostgresPrograms, settings: &ClusterSettings, account: Option<Account>) -> Result<()> {
    let folder = &settings.folder;
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let password_file = folder.join("password");
    fs::write(&password_file, random_password()?)?;
    fs::set_permissions(&password_file, Permissions::from_mode(0o600))?;
    if let Some(account) = account {
        account.own(folder)?;
        account.own(&password_file)?;
    }
    // Renamed when complete, so that a killed run leaves no partial cluster under this name.
    let unfinished = folder.join("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    // macOS has no C.UTF-8; C sorts the same way and the encoding is given on its own.
    let locale = if cfg!(target_os = "macos") { "C" } else { "C.UTF-8" };
    let mut command = command_as(&programs.initdb, account, folder);
    command
        .arg("-D")
        .arg(&unfinished)
        .args(["-U", USER, "-E", "UTF8", "--locale", locale, "--auth=password", "--no-instructions"])
        .arg("--pwfile")
        .arg(&password_file);
    if settings.disposable {
        command.arg("--no-sync");
    }
    let output = command.stdin(Stdio::null()).output().context("cannot run initdb")?;
    anyhow::ensure!(output.status.success(), "initdb fails: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(unfinished, folder.join("data"))?;
    Ok(())
}

/// A command that runs as the given account, in a folder that account can enter.
fn command_as(program: &Path, account: Option<Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn open_log(path: &Path, account: Option<Account>) -> Result<fs::File> {
    let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    if let Some(account) = account {
        account.own(path)?;
    }
    Ok(file)
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// 128 bits from the system, as hex; the cleartext never leaves this machine's loopback.
fn random_password() -> Result<String> {
    use std::fmt::Write as _;
    use std::io::Read as _;

    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
