//! One test process: its requests, and the servers that end with it.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;

use super::servers::Servers;
use crate::message::{Reply, Request};
use punctual_launch::servers::process::Identity;
use punctual_launch::servers::{Cluster, RedisServer, ports};

/// Answers until the process closes its end or is killed.
pub(super) async fn serve(stream: UnixStream, servers: Arc<Result<Servers, String>>) {
    let mut owned = Owned::default();
    let _ = answer_all(stream, &servers, &mut owned).await;
    for process in owned.processes {
        let _ = process.signal(Signal::KILL, true);
    }
    for (_, redis) in owned.redis {
        let _ = redis.stop();
    }
    for (_, cluster) in owned.clusters {
        let _ = cluster.abort();
    }
}

/// What ends with the connection.
#[derive(Default)]
struct Owned {
    redis: HashMap<u16, RedisServer>,
    clusters: HashMap<u16, Cluster>,
    processes: Vec<Identity>,
}

async fn answer_all(stream: UnixStream, servers: &Result<Servers, String>, owned: &mut Owned) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let reply = match servers {
            Ok(servers) => answer(serde_json::from_str(&line)?, servers, owned)
                .await
                .unwrap_or_else(|error| Reply::Failed(format!("{error:#}"))),
            Err(reason) => Reply::Failed(reason.clone()),
        };
        let mut line = serde_json::to_string(&reply)?;
        line.push('\n');
        writer.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

async fn answer(request: Request, servers: &Servers, owned: &mut Owned) -> Result<Reply> {
    match request {
        Request::Servers => Ok(Reply::Servers(servers.list())),
        Request::StartRedis { port } => {
            let redis = servers.start_redis(port.unwrap_or_else(ports::free_port)).await?;
            let reply = Reply::Redis { port: redis.port(), pid: redis.identity().pid };
            owned.redis.insert(redis.port(), redis);
            Ok(reply)
        }
        Request::StopRedis { port } => {
            owned.redis.remove(&port).context("no such Redis")?.stop()?;
            Ok(Reply::Stopped)
        }
        Request::StartPostgres { port } => {
            let port = port.unwrap_or_else(ports::free_port);
            let cluster = servers.start_cluster(port).await?;
            let url = cluster.url("postgres");
            owned.clusters.insert(port, cluster);
            Ok(Reply::Postgres { port, url })
        }
        Request::StartStandby { primary } => {
            let port = ports::free_port();
            let primary = owned.clusters.get(&primary).context("no such cluster")?;
            let cluster = servers.start_standby(primary, port)?;
            let url = cluster.url("postgres");
            owned.clusters.insert(port, cluster);
            Ok(Reply::Postgres { port, url })
        }
        Request::KillPostgres { port } => {
            owned.clusters.remove(&port).context("no such cluster")?.kill()?;
            Ok(Reply::Stopped)
        }
        Request::StopPostgres { port, crash } => {
            let cluster = owned.clusters.remove(&port).context("no such cluster")?;
            let stop = if crash { Cluster::abort } else { Cluster::stop };
            spawn_blocking(move || stop(cluster)).await??;
            Ok(Reply::Stopped)
        }
        Request::Adopt { identity } => {
            owned.processes.retain(Identity::is_alive);
            owned.processes.push(identity);
            Ok(Reply::Adopted)
        }
    }
}
