//! The protocol between test processes and the guard: one JSON document per line.

use serde::{Deserialize, Serialize};

use punctual_launch::servers::process::Identity;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Which servers are there?
    Servers,
    /// Start a Redis, on a given port again or on any; it ends with this connection.
    StartRedis { port: Option<u16> },
    /// Stop the Redis that was started on this port.
    StopRedis { port: u16 },
    /// Start a Postgres cluster, the one of a given port again or a new one; it ends with this connection.
    StartPostgres { port: Option<u16> },
    /// Stop the cluster that was started on this port, with or without an orderly shutdown.
    StopPostgres { port: u16, crash: bool },
    /// Start a standby of the cluster that was started on this port; it ends with this connection.
    StartStandby { primary: u16 },
    /// Kill the cluster that was started on this port, as `kill -9` would.
    KillPostgres { port: u16 },
    /// Kill this process group, if it still runs, when this connection closes.
    Adopt { identity: Identity },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Servers(ServerList),
    Redis { port: u16, pid: u32 },
    Postgres { port: u16, url: String },
    Stopped,
    Adopted,
    Failed(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ServerList {
    /// URL of the maintenance database of the Postgres server.
    pub(super) postgres: String,
    /// Begins the name of every database of this run; the guard drops them all at its end.
    pub(super) prefix: String,
    /// Whether there are clusters to start: not where a server was named.
    pub(super) clusters: bool,
    /// Whether there is a Redis to start.
    pub(super) redis: bool,
}
