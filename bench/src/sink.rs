//! A mail server that accepts everything and records when, unless it is set to be down.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The running sink; it ends with the runtime.
pub(super) struct Sink {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    accepted: AtomicUsize,
    down: AtomicBool,
    /// First DATA since the last [`Sink::forget`], and the last 250.
    span: Mutex<Option<(Instant, Instant)>>,
}

impl Sink {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, seen) = (listener.local_addr()?, Arc::<Seen>::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                // Errors of a client do not end the server.
                tokio::spawn(async move { drop(serve(socket, &seen).await) });
            }
        });
        Ok(Self { address, seen })
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Resets the count.
    pub(super) fn forget(&self) {
        *self.seen.span.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.seen.accepted.store(0, Ordering::SeqCst);
    }

    /// While it is down, it refuses new connections with 421.
    pub(super) fn set_down(&self, down: bool) {
        self.seen.down.store(down, Ordering::SeqCst);
    }

    /// Waits until this many were accepted since the reset; returns the times of the first DATA and the last 250.
    pub(super) async fn wait_for(&self, count: usize, patience: Duration) -> Result<(Instant, Instant)> {
        let begun = Instant::now();
        loop {
            let taken = self.seen.accepted.load(Ordering::SeqCst);
            let span = *self.seen.span.lock().unwrap_or_else(PoisonError::into_inner);
            match span {
                Some(span) if taken >= count => return Ok(span),
                _ => ensure!(begun.elapsed() < patience, "{taken} of {count} mails came"),
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

async fn serve(socket: TcpStream, seen: &Seen) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut client = BufReader::new(socket);
    if seen.down.load(Ordering::SeqCst) {
        client.write_all(b"421 4.3.2 down\r\n").await?;
        return Ok(());
    }
    client.write_all(b"220 sink\r\n").await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if client.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"EHLO" => b"250-sink\r\n250 8BITMIME\r\n",
            b"DATA" => {
                let begun = Instant::now();
                client.write_all(b"354 go\r\n").await?;
                loop {
                    line.clear();
                    if client.read_until(b'\n', &mut line).await? == 0 {
                        return Ok(());
                    }
                    if line == b".\r\n" {
                        break;
                    }
                }
                let mut span = seen.span.lock().unwrap_or_else(PoisonError::into_inner);
                *span = Some((span.map_or(begun, |(first, _)| first), Instant::now()));
                seen.accepted.fetch_add(1, Ordering::SeqCst);
                b"250 taken\r\n"
            }
            b"QUIT" => {
                client.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        client.write_all(answer).await?;
    }
}
