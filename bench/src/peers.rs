//! `cargo dev bench peers`: the api and other booking servers in one run, on one Postgres.
//!
//! The peers have a driver, `bench/bench.py` of their folder, which measures any server described by a file in
//! `bench/adapters/`. Ours is made from `bench/punctual.json` and removed afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use punctual_core::config::Keys;
use punctual_launch::programs::clone_root;
use serde_json::Value;
use tokio::process::Command;

use super::machine::{STATUS_MISSING, build_shipped, folder_on_disk};
use punctual_dev::console;
use punctual_dev::home::random_bytes;
use punctual_launch::servers::{Consent, Needs, RedisServer, install_commands, ports, provide};

/// Seconds of load per scenario in a quick run; the driver's default is three times that.
const QUICK_SECONDS: &str = "5";
/// The database that the peers' Postgres makes for us.
const DATABASE: &str = "peer_punctual";

/// What to measure, and the peers to compare with.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Folder of the peers, set up by its bench/setup.sh
    #[arg(long)]
    peers: PathBuf,
    /// Names of the peers' adapters, separated by commas; empty: only the api
    #[arg(long, default_value = "go,node-cluster,node-fastify-cluster")]
    beside: String,
    /// Number of rounds; the table shows medians
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Scenarios of the driver, separated by commas
    #[arg(long, default_value = "e,a,d,c,b64,b1000")]
    scenarios: String,
    /// One short round beside the first peer, about six minutes; for ratios only
    #[arg(long)]
    quick: bool,
    /// Measure this api instead of building one (`deploy/build` makes the shipped one)
    #[arg(long)]
    binary: Option<PathBuf>,
    /// File for the raw results, one JSON object per line
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Builds the api as it is shipped, runs the driver and prints its table.
///
/// # Errors
/// When something does not build or start, or the driver fails.
pub async fn run(options: Options) -> Result<ExitCode> {
    let driver = options.peers.join("bench").canonicalize().context("--peers has no folder bench")?;
    let needs = Needs { postgres: true, redis: true };
    let Some(redis) = provide(needs, Consent::Ask, &console::step).redis else {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let api = match &options.binary {
        Some(binary) => binary.canonicalize().context("--binary is not there")?,
        None => build_shipped("punctual-api").await?,
    };
    let folder = folder_on_disk()?;
    let redis = RedisServer::start(&redis, &folder.path().join("redis"), ports::free_port())?;
    let run = Run { options: &options, driver: &driver, api: &api, redis: &redis.url() };
    let adapter = driver.join("adapters/punctual.json");
    let result = run.measure(&adapter, folder.path()).await;
    let _ = fs::remove_file(adapter);
    redis.stop()?;
    result
}

struct Run<'a> {
    options: &'a Options,
    driver: &'a Path,
    api: &'a Path,
    redis: &'a str,
}

impl Run<'_> {
    async fn measure(&self, adapter: &Path, folder: &Path) -> Result<ExitCode> {
        let (beside, rounds) = if self.options.quick {
            (self.options.beside.split(',').next().unwrap_or_default(), 1)
        } else {
            (&*self.options.beside, self.options.rounds)
        };
        let servers =
            [beside, "punctual"].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(",");
        let postgres = self.part("pg.sh", &["start"]).env("PG_DATABASES", DATABASE).status().await?;
        ensure!(postgres.success(), "the peers' Postgres does not start");
        let description = self.describe(folder)?;
        fs::write(adapter, serde_json::to_vec_pretty(&description)?)?;
        self.prepare_database(&description).await?;

        let each = if self.options.quick { 3 } else { 4 };
        let minutes = servers.split(',').count() * usize::try_from(rounds)? * each;
        console::step(&format!("measuring {servers}: some {minutes} minutes on a quiet machine"));
        let out = self.options.out.clone().unwrap_or_else(|| folder.join("results.jsonl"));
        let mut run =
            self.part("bench.py", &["run", "--servers", &servers, "--scenarios", &self.options.scenarios]);
        run.args(["--rounds", &rounds.to_string(), "--out"]).arg(&out);
        if self.options.quick {
            run.args(["--retries", "0"]).env("BENCH_SECONDS", QUICK_SECONDS);
        }
        ensure!(run.kill_on_drop(true).status().await?.success(), "the driver failed");
        let report = self.part("bench.py", &["report"]).arg(&out).status().await?;
        let size = self.part("bench.py", &["size", "--servers", &servers]).status().await?;
        Ok(if report.success() && size.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// A script of the driver, which need not be executable.
    fn part(&self, program: &str, arguments: &[&str]) -> Command {
        let path = self.driver.join(program);
        let is_python = path.extension().is_some_and(|extension| extension == "py");
        let mut command = Command::new(if is_python { "python3" } else { "bash" });
        command.arg(path).args(arguments).current_dir(self.driver);
        command
    }

    /// Our adapter, with the peers' Postgres and production settings.
    fn describe(&self, folder: &Path) -> Result<Value> {
        let bench = clone_root().join("bench");
        let peer =
            fs::read(self.driver.join("adapters/go.json")).context("the peers have no adapter go.json")?;
        let peer: Value = serde_json::from_slice(&peer)?;
        let database =
            peer["db"].as_str().and_then(|url| url.rsplit_once('/')).context("go.json names no db")?.0;
        let text = |path: &Path| path.display().to_string();
        let day = (chrono::Local::now().date_naive() + chrono::Days::new(7)).to_string();
        let values: BTreeMap<&str, String> = [
            ("{api}", text(self.api)),
            ("{folder}", text(folder)),
            ("{database}", format!("{database}/{DATABASE}")),
            ("{redis}", self.redis.to_owned()),
            ("{port}", ports::free_port().to_string()),
            ("{metrics_port}", ports::free_port().to_string()),
            ("{keys}", Keys::write_local(1, &random_bytes::<32>()?)),
            ("{day}", day),
            ("{fill}", fs::read_to_string(bench.join("punctual.sql"))?),
            ("{count}", fs::read_to_string(bench.join("punctual-count.sql"))?),
        ]
        .into();
        let mut description: Value = serde_json::from_slice(&fs::read(bench.join("punctual.json"))?)?;
        fill(&mut description, &values);
        Ok(description)
    }

    /// Creates the schema and the data before the driver starts the api.
    async fn prepare_database(&self, description: &Value) -> Result<()> {
        let text = |name: &str| description[name].as_str().unwrap_or_default();
        let migrated = Command::new(self.api).arg("migrate").env("DATABASE_URL", text("db")).status().await?;
        ensure!(migrated.success(), "the schema cannot be made");
        let filled = Command::new("psql")
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", text("db"), "-c", text("reset_sql")])
            .status()
            .await?;
        ensure!(filled.success(), "the domain cannot be filled");
        Ok(())
    }
}

/// Puts the values in every text of the document.
fn fill(document: &mut Value, values: &BTreeMap<&str, String>) {
    match document {
        Value::String(text) => {
            for (name, value) in values {
                if text.contains(name) {
                    *text = text.replace(name, value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, values)),
        Value::Object(fields) => fields.values_mut().for_each(|item| fill(item, values)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_fills_in_is_left_to_it() {
        let text = fs::read(clone_root().join("bench/punctual.json")).unwrap();
        let mut description: Value = serde_json::from_slice(&text).unwrap();
        fill(&mut description, &[("{port}", "1234".to_owned())].into());
        assert_eq!(description["base"], "http://127.0.0.1:1234");
        assert!(description["availability"].as_str().unwrap().contains("staff_id={resource}&from={date}"));
    }
}
