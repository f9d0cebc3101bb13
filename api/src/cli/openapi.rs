use std::{io::Write, path::Path, process::ExitCode};

use super::Failure;
use crate::app;

/// Prints the document, or compares it with a file.
pub fn run(check: Option<&Path>) -> Result<ExitCode, Failure> {
    let document = app::document()?;
    let Some(path) = check else {
        std::io::stdout().write_all(document.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let committed = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if committed == document {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{0} is out of date; run: cargo run -p punctual-api -- openapi > {0}", path.display());
    Ok(ExitCode::FAILURE)
}
