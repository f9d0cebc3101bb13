//! A `PgBouncer` in front of a test's Postgres.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use punctual_launch::servers::Account;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::require::Tool;
use crate::{Process, free_port};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How server connections are shared among clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// A client keeps its server connection.
    Session,
    /// A client gets a server connection for each transaction.
    Transaction,
}

/// A running `PgBouncer`; it ends with the value.
#[derive(Debug)]
pub struct TestPgBouncer {
    url: String,
    version: (u32, u32),
    _process: Process,
    _folder: TempDir,
}

impl TestPgBouncer {
    /// Starts one in front of the database with this URL, or returns `None` after printing the calling test as skipped.
    /// With `PUNCTUAL_REQUIRE_PGBOUNCER=1` the test process ends with status 2 instead.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(database_url: &str, mode: PoolMode) -> Option<Self> {
        let paths = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let Some(program) = paths.iter().map(Path::new).find(|path| path.exists()) else {
            Tool::PgBouncer.skip("PgBouncer (Debian's package pgbouncer)");
            return None;
        };
        let version = version(program);
        let prepared = if version >= (1, 21) { "max_prepared_statements = 100\n" } else { "" };
        // postgres://user:password@host:port/name
        let (login, rest) = database_url.trim_start_matches("postgres://").split_once('@').expect("a login");
        let (user, password) = login.split_once(':').expect("a password");
        let (server, name) = rest.split_once('/').expect("a database");
        let (host, server_port) = server.split_once(':').expect("a port");
        let port = free_port();
        let mode = if mode == PoolMode::Session { "session" } else { "transaction" };
        let settings = format!(
            "[databases]\n* = host={host} port={server_port} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\nserver_login_retry = 1\nquery_wait_timeout = 5\n\
             ignore_startup_parameters = options,extra_float_digits,statement_timeout,lock_timeout,\
             idle_in_transaction_session_timeout\n{prepared}"
        );
        let folder =
            tempfile::Builder::new().prefix("punctual-bouncer-").tempdir_in("/var/tmp").expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its mode");
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("its settings");
        let mut command = Command::new(program);
        command.arg(&file).current_dir(folder.path());
        if let Some(account) = Account::for_postgres().expect("an account") {
            command.uid(account.uid).gid(account.gid);
        }
        let mut process = Process::spawn("pgbouncer", command).await;
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(!process.has_ended(), "pgbouncer ended: {}", process.log());
            assert!(started.elapsed() < START_TIMEOUT, "pgbouncer does not listen: {}", process.log());
            sleep(Duration::from_millis(20)).await;
        }
        Some(Self {
            version,
            url: format!("postgres://{login}@127.0.0.1:{port}/{name}"),
            _process: process,
            _folder: folder,
        })
    }

    /// Whether it keeps prepared statements in transaction mode: from 1.21 on.
    #[must_use]
    pub fn keeps_prepared_statements(&self) -> bool {
        self.version >= (1, 21)
    }

    /// URL of the database through it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Major and minor version, from `PgBouncer 1.18.0`.
fn version(program: &Path) -> (u32, u32) {
    let output = Command::new(program).arg("--version").output().expect("pgbouncer runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().nth(1).unwrap_or_default().split('.').map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok).expect("pgbouncer says its version");
    (next(), next())
}
