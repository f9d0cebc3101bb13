//! Ports of the stack.

use std::env;

use anyhow::{Context as _, Result};

use crate::console;
use crate::servers::ports::{free_port, is_free};

/// How far a default port moves on before we give up.
const MOVES: u16 = 200;

/// TCP ports on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The API.
    pub api: u16,
    /// The API's metrics.
    pub api_metrics: u16,
    /// The inbox' page.
    pub inbox: u16,
    /// The mail catcher.
    pub smtp: u16,
    /// Postgres.
    pub postgres: u16,
    /// Redis.
    pub redis: u16,
}

impl Ports {
    /// The usual ones: a taken one moves on to the next that is free and says so, one set by variable must be free.
    ///
    /// # Errors
    /// Names the variable whose port is taken or no number.
    pub fn usual() -> Result<Self> {
        Ok(Self {
            api: choose("PUNCTUAL_API_PORT", 8080)?,
            api_metrics: next_free(9090)?,
            inbox: choose("PUNCTUAL_INBOX_PORT", 8025)?,
            smtp: choose("PUNCTUAL_SMTP_PORT", 1025)?,
            postgres: choose("PUNCTUAL_POSTGRES_PORT", 15432)?,
            redis: choose("PUNCTUAL_REDIS_PORT", 16379)?,
        })
    }

    /// Any that are free, for a stack beside others.
    #[must_use]
    pub fn any() -> Self {
        Self {
            api: free_port(),
            api_metrics: free_port(),
            inbox: free_port(),
            smtp: free_port(),
            postgres: free_port(),
            redis: free_port(),
        }
    }
}

fn choose(variable: &str, default: u16) -> Result<u16> {
    if let Some(text) = env::var(variable).ok().filter(|text| !text.is_empty()) {
        return fixed(variable, &text);
    }
    let port = next_free(default)?;
    if port != default {
        console::notice(&format!("port {default} is taken: using {port} ({variable} sets another)"));
    }
    Ok(port)
}

fn fixed(variable: &str, text: &str) -> Result<u16> {
    let port = text.parse().ok().filter(|port| *port > 0);
    let port = port.with_context(|| format!("{variable}={text}: expected a port from 1 to 65535"))?;
    anyhow::ensure!(is_free(port), "{variable}={text}: the port is taken");
    Ok(port)
}

fn next_free(first: u16) -> Result<u16> {
    (first..first.saturating_add(MOVES))
        .find(|port| is_free(*port))
        .with_context(|| format!("no free port from {first} on"))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn a_taken_default_port_moves_on_and_a_configured_one_fails_with_its_name() {
        let port = free_port();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(next_free(port).unwrap() > port);
        let error = fixed("PUNCTUAL_API_PORT", &port.to_string()).unwrap_err().to_string();
        assert_eq!(error, format!("PUNCTUAL_API_PORT={port}: the port is taken"));
        assert!(fixed("PUNCTUAL_API_PORT", "web").unwrap_err().to_string().contains("PUNCTUAL_API_PORT=web"));
    }
}
