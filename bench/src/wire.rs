//! A minimal HTTP/1.1 client: one connection, sequential requests, little CPU.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(super) struct Wire {
    socket: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let socket =
            TcpStream::connect(address).await.with_context(|| format!("{address} does not answer"))?;
        socket.set_nodelay(true)?;
        Ok(Self { socket: BufReader::new(socket), line: String::new(), body: Vec::new() })
    }

    /// Sends a request, reads the whole answer and returns its status.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.socket.write_all(request).await?;
        self.read_line().await?;
        let status =
            self.line.get(9..12).and_then(|text| text.parse().ok()).context("it does not speak HTTP")?;
        let mut length = 0;
        loop {
            self.read_line().await?;
            if self.line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = self.line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.socket.read_exact(&mut self.body).await?;
        Ok(status)
    }

    /// The last answer's body as text.
    pub(super) fn body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Bytes of the last answer's body.
    pub(super) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    async fn read_line(&mut self) -> Result<()> {
        self.line.clear();
        anyhow::ensure!(self.socket.read_line(&mut self.line).await? > 0, "the connection was closed");
        Ok(())
    }
}

pub(super) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

pub(super) fn post(path: &str, body: &str) -> Vec<u8> {
    post_with(path, "", body)
}

/// A request with an idempotency key.
pub(super) fn post_with_key(path: &str, key: &str, body: &str) -> Vec<u8> {
    post_with(path, &format!("idempotency-key: {key}\r\n"), body)
}

fn post_with(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    format!("{head}{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}
