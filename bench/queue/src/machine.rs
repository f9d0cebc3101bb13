//! Description of the machine.

use std::fs;
use std::thread;

use anyhow::Result;

use crate::database::Server;

/// A list of Markdown points.
pub async fn describe(server: &Server) -> Result<String> {
    let cpu = first_value("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let threads = thread::available_parallelism()?;
    let memory = first_value("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut settings = Vec::new();
    for name in ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"] {
        settings.push(format!("{name}={}", server.setting(name).await?));
    }
    Ok(format!(
        "- {cpu}, {threads} threads, memory {memory}, {} {}\n- Postgres {}: {}\n- wake-ups: punctual-queue through Redis, the others through NOTIFY\n",
        std::env::consts::OS,
        kernel.trim(),
        server.setting("server_version").await?,
        settings.join(", "),
    ))
}

fn first_value(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
