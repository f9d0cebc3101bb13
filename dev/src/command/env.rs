//! `cargo dev env`: addresses of the running stack, for a shell.

use std::process::ExitCode;

use anyhow::Result;

use crate::console;
use crate::home::Home;
use crate::stack::State;

/// Prints `export` lines for `eval "$(cargo dev env)"`; status 1 when nothing runs.
///
/// # Errors
/// When the home cannot be opened.
pub fn run() -> Result<ExitCode> {
    let state = State::read(&Home::of_clone()?).filter(|state| state.owner.is_alive());
    let Some(state) = state else {
        console::problem("nothing runs: start it with `cargo dev`");
        return Ok(ExitCode::FAILURE);
    };
    let addresses = state.addresses;
    let mut lines = vec![
        ("PUNCTUAL_PUBLIC_URL", addresses.api),
        ("DATABASE_URL", addresses.database),
        ("SMTP_URL", addresses.smtp),
    ];
    lines.extend(addresses.redis.map(|url| ("REDIS_URL", url)));
    lines.extend(addresses.inbox.map(|url| ("INBOX_URL", url)));
    for (name, value) in lines {
        console::line(&format!("export {name}={}", quoted(&value)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The value quoted for a POSIX shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_value_reaches_the_shell_as_it_is() {
        assert_eq!(quoted("postgres://a:$b'c@h/d"), r"'postgres://a:$b'\''c@h/d'");
    }
}
