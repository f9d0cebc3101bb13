//! `cargo dev prepare`: writes the generated files, or checks them.
//!
//! These are the descriptions of the queries (`queue/.sqlx`, `core/.sqlx`), which the compiler gets from a migrated
//! Postgres, and `openapi/openapi.json`, which the api prints.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::programs::{build, cargo, clone_root};
use crate::servers::{
    Account, Cluster, ClusterSettings, Consent, Needs, PostgresPrograms, install_commands, ports, provide,
};

/// Exit status where Postgres is missing and could not be installed.
const STATUS_MISSING: u8 = 2;
const OPENAPI: &str = "openapi/openapi.json";

/// A crate with queries, its migrations, and the schema they are made in.
struct Queries {
    package: &'static str,
    folder: &'static str,
    migrations: &'static str,
}

/// Ordered so that a schema comes after those it needs.
const QUERIES: [Queries; 2] = [
    Queries { package: "punctual-queue", folder: "queue", migrations: "queue/migrations" },
    Queries { package: "punctual-core", folder: "core", migrations: "migrations" },
];

/// Runs the command. `--check` changes nothing; if a file differs, it prints the command that updates it and ends with
/// status 1.
///
/// # Errors
///
/// When Postgres, a migration or the compiler fails.
pub fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => anyhow::bail!("usage: cargo dev prepare [--check]"),
    };
    let needs = Needs { postgres: true, redis: false };
    let Some(postgres) = provide(needs, Consent::Ask, &say).postgres else {
        eprintln!("install Postgres and try again:\n\n{}\n", install_commands(needs));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let root = clone_root();
    let parent = if Account::for_postgres()?.is_some() { "/var/tmp".into() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("punctual-prepare-").tempdir_in(parent)?;
    make_enterable(folder.path())?;
    let cluster = start_migrated(&postgres, folder.path(), &root)?;
    let mut differences = Vec::new();
    for queries in &QUERIES {
        say(&format!("asking Postgres about the queries of {}", queries.package));
        let described = folder.path().join(queries.folder);
        describe(queries, &cluster.url("postgres"), &described, &root)?;
        let committed = root.join(queries.folder).join(".sqlx");
        let (new, old) = (read_folder(&described)?, read_folder(&committed)?);
        if new != old {
            differences.push(format!("{}/.sqlx", queries.folder));
        }
        if !check {
            replace(&committed, &new)?;
        }
    }
    cluster.abort()?;
    say("asking the api for its OpenAPI document");
    // In a check, outdated queries may keep the api from building; then only their difference is reported.
    if !check || differences.is_empty() {
        let document = openapi(&root)?;
        let path = root.join(OPENAPI);
        if fs::read(&path).unwrap_or_default() != document {
            differences.push(OPENAPI.to_owned());
            if !check {
                fs::create_dir_all(path.parent().unwrap_or(&root))?;
                fs::write(&path, document)?;
            }
        }
    }
    Ok(report(check, &differences))
}

fn report(check: bool, differences: &[String]) -> ExitCode {
    if differences.is_empty() {
        say("all generated files are up to date");
        return ExitCode::SUCCESS;
    }
    let files = differences.join(", ");
    if !check {
        say(&format!("changed: {files}"));
        return ExitCode::SUCCESS;
    }
    eprintln!("out of date: {files}\nmake them anew with\n\n    cargo dev prepare\n");
    ExitCode::FAILURE
}

fn say(text: &str) {
    eprintln!("• {text}");
}

/// Starts a cluster with both schemas in its database `postgres`.
fn start_migrated(postgres: &PostgresPrograms, folder: &Path, root: &Path) -> Result<Cluster> {
    let settings = ClusterSettings {
        folder: folder.join("postgres"),
        port: ports::free_port(),
        disposable: true,
        max_connections: 20,
    };
    let cluster = Cluster::start(postgres, &settings)?;
    let url = cluster.url("postgres");
    let psql = |argument: &str, value: &std::ffi::OsStr| -> Result<()> {
        let mut command = Command::new(&postgres.psql);
        command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", &url, argument]).arg(value);
        let output =
            command.env("PGOPTIONS", "-c client_min_messages=warning").stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} fails: {said}", value.display());
        Ok(())
    };
    psql("--command", "CREATE SCHEMA queue".as_ref())?;
    for queries in &QUERIES {
        for file in sql_files(&root.join(queries.migrations))? {
            psql("--file", file.as_os_str())?;
        }
    }
    Ok(cluster)
}

/// Lets the compiler write the descriptions of a crate's queries into a folder.
fn describe(queries: &Queries, url: &str, into: &Path, root: &Path) -> Result<()> {
    // The first run may also compile the crate's dependencies, which write their queries there too; the second run
    // compiles the crate alone.
    for _ in 0..2 {
        if into.exists() {
            fs::remove_dir_all(into)?;
        }
        fs::create_dir_all(into)?;
        touch(&root.join(queries.folder).join("src/lib.rs"))?;
        let status = Command::new(cargo())
            .args(["--config", "env.SQLX_OFFLINE.value=\"false\"", "--config", "env.SQLX_OFFLINE.force=true"])
            .args(["check", "--quiet", "--package", queries.package, "--lib"])
            .env("PUNCTUAL_PREPARE_URL", url)
            .env("SQLX_OFFLINE_DIR", into)
            .current_dir(root)
            .status()
            .context("cannot run cargo")?;
        anyhow::ensure!(status.success(), "{} does not build", queries.package);
    }
    Ok(())
}

/// Cargo does not distinguish a check with a database from one without: touching the file forces a new check.
#[expect(
    clippy::disallowed_methods,
    reason = "the time of a file on this machine, of no meaning to Punctual"
)]
fn touch(file: &Path) -> Result<()> {
    Ok(fs::File::options().append(true).open(file)?.set_modified(std::time::SystemTime::now())?)
}

fn openapi(root: &Path) -> Result<Vec<u8>> {
    let output = Command::new(build("punctual-api", &[])?)
        .arg("openapi")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run punctual-api")?;
    anyhow::ensure!(output.status.success(), "`punctual-api openapi` fails");
    Ok(output.stdout)
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

fn read_folder(folder: &Path) -> Result<BTreeMap<OsString, Vec<u8>>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(BTreeMap::new()) };
    let read = |entry: fs::DirEntry| Ok((entry.file_name(), fs::read(entry.path())?));
    entries.flatten().map(read).collect()
}

fn replace(folder: &Path, files: &BTreeMap<OsString, Vec<u8>>) -> Result<()> {
    fs::create_dir_all(folder)?;
    for name in read_folder(folder)?.keys().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
    }
    for (name, content) in files {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}

/// Lets another account enter the cluster's folder inside ours.
fn make_enterable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?)
}
