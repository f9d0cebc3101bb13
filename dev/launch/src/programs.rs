//! The programs of `cargo dev`, built by cargo.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Builds a program of the workspace and those it starts, and returns its path; the others are in the same folder. Uses
/// the features of the whole workspace, as test builds do, so that no dependency is built twice. Shows cargo's
/// progress.
///
/// # Errors
///
/// When something does not build.
pub fn build(program: &str, needs: &[&str]) -> Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--workspace", "--message-format=json-render-diagnostics", "--bin", program])
        .args(needs.iter().flat_map(|needed| ["--bin", needed]))
        .current_dir(clone_root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    anyhow::ensure!(output.status.success(), "the programs do not build");
    executable(&String::from_utf8(output.stdout)?, program)
        .with_context(|| format!("cargo did not build {program}"))
}

/// The cargo that runs this program.
#[must_use]
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// The workspace folder this program was built from.
#[must_use]
pub fn clone_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
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
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"punctual-dev\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"punctual-dev\"},\"executable\":\"/t/punctual-dev\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(executable(messages, "punctual-dev"), Some(PathBuf::from("/t/punctual-dev")));
        assert_eq!(executable(messages, "punctual-worker"), None);
    }
}
