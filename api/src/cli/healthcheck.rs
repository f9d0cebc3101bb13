use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use punctual_core::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Failure;

const WAIT_TIMEOUT: Duration = Duration::from_secs(4);

/// Requests `/readyz` of the api of this configuration.
pub async fn run(config: &Config) -> Result<ExitCode, Failure> {
    let address = reachable(config.api.listen);
    match tokio::time::timeout(WAIT_TIMEOUT, request_status(address)).await {
        Ok(Ok(200)) => Ok(ExitCode::SUCCESS),
        Ok(Ok(status)) => Err(format!("{address} answers with status {status}").into()),
        Ok(Err(error)) => Err(format!("{address} cannot be reached: {error}").into()),
        Err(_) => Err(format!("{address} does not answer").into()),
    }
}

/// Replaces an unspecified address (0.0.0.0, ::) by the loopback address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, listen.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, listen.port()).into(),
        _ => listen,
    }
}

async fn request_status(address: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    let status = std::str::from_utf8(&head[9..]).ok().and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}
