//! Postgres and Redis as programs of this machine: found, installed where missing, started and stopped.

mod account;
mod find;
mod install;
pub mod ports;
mod postgres;
pub mod process;
mod redis;

pub use account::Account;
pub use find::{PostgresPrograms, find_postgres, find_redis};
pub use install::{Consent, Needs, Programs, install_commands, provide};
pub use postgres::{Cluster, ClusterSettings};
pub use redis::RedisServer;
