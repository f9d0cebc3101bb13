//! The api and the worker, built by cargo.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::process::Command;

use crate::home::clone_root;

/// The two programs of Punctual.
#[derive(Clone, Debug)]
pub struct Built {
    /// `punctual-api`.
    pub api: PathBuf,
    /// `punctual-worker`.
    pub worker: PathBuf,
}

/// Builds both; cargo's progress is shown, and nothing is done where they are up to date.
///
/// # Errors
/// When they do not build.
pub async fn build() -> Result<Built> {
    let mut packages = Vec::new();
    for name in ["punctual-api", "punctual-worker"] {
        packages.extend(["--package", name, "--bin", name]);
    }
    let output = Command::new(cargo())
        .arg("build")
        .args(&packages)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(clone_root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("cannot run cargo")?;
    anyhow::ensure!(output.status.success(), "the programs do not build");
    let messages = String::from_utf8(output.stdout)?;
    let executable =
        |name| executable(&messages, name).with_context(|| format!("cargo did not build {name}"));
    Ok(Built { api: executable("punctual-api")?, worker: executable("punctual-worker")? })
}

/// The cargo that runs us.
#[must_use]
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    artifacts.filter(|artifact| artifact.target.name == name).find_map(|artifact| artifact.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_told_from_other_artifacts() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"punctual-api\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"punctual-api\"},\"executable\":\"/t/punctual-api\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(executable(messages, "punctual-api"), Some(PathBuf::from("/t/punctual-api")));
        assert_eq!(executable(messages, "punctual-worker"), None);
    }
}
