//! Receivers of webhooks: one server that answers at every address of 127.0.0.0/8 and records when an event came. What
//! is posted to `/dead` gets no answer.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The running server; it ends with the runtime.
pub(super) struct Receivers {
    port: u16,
    arrived: Arc<Mutex<HashMap<String, Vec<Instant>>>>,
}

impl Receivers {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        let (port, arrived) = (listener.local_addr()?.port(), Arc::<Mutex<HashMap<_, _>>>::default());
        let shared = Arc::clone(&arrived);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let arrived = Arc::clone(&shared);
                // Errors of a client do not end the server.
                tokio::spawn(async move { drop(serve(socket, &arrived).await) });
            }
        });
        Ok(Self { port, arrived })
    }

    /// The URL of one of them; each is a host of its own.
    pub(super) fn url(&self, number: usize, dead: bool) -> String {
        let path = if dead { "dead" } else { "hook" };
        format!("http://127.1.{}.{}:{}/{path}", number / 200, number % 200 + 1, self.port)
    }

    /// When each good receiver got each event so far, by the event's id.
    pub(super) fn arrived(&self) -> HashMap<String, Vec<Instant>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self) -> usize {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }

    /// Resets what arrived.
    pub(super) fn forget(&self) {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until so many requests arrived at good receivers since the reset.
    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            let arrived = self.count();
            if arrived >= count {
                return Ok(());
            }
            ensure!(begun.elapsed() < patience, "{arrived} of {count} webhooks came");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn serve(socket: TcpStream, arrived: &Mutex<HashMap<String, Vec<Instant>>>) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut client = BufReader::new(socket);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let (mut id, mut length, mut dead, mut first) = (String::new(), 0, false, true);
        loop {
            line.clear();
            if client.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if first {
                dead = line.contains(" /dead ");
                first = false;
            }
            let lower = line.trim_end().to_ascii_lowercase();
            match lower.split_once(": ") {
                Some(("webhook-id", value)) => value.clone_into(&mut id),
                Some(("content-length", value)) => length = value.parse()?,
                None if lower.is_empty() => break,
                _ => {}
            }
        }
        body.resize(length, 0);
        client.read_exact(&mut body).await?;
        if dead {
            // Until the client gives up.
            client.read_u8().await?;
        }
        arrived.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().push(Instant::now());
        client.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    }
}
