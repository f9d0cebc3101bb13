//! A receiver of webhooks: an HTTP server that keeps what it is sent and answers as scripted.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::wait_for;

/// How the receiver answers one request. Without one it says 204.
#[derive(Debug, Clone)]
pub enum Answering {
    /// With this status and these header lines.
    Status(u16, &'static str),
    /// With 204, after this long.
    Slow(Duration),
    /// With these bytes, then the connection is closed.
    Raw(&'static [u8]),
    /// Not at all: the connection stays open.
    Never,
    /// Not at all, and the request is not even read: it is not among those received.
    Unread,
    /// With the beginning of an answer; the connection stays open.
    Partly,
    /// With 204, once [`WebhookReceiver::release`] is called.
    Held,
}

impl Answering {
    /// Whether the client waits until the receiver is released or the client gives up.
    fn stalls(&self) -> bool {
        matches!(self, Self::Never | Self::Unread | Self::Partly | Self::Held)
    }
}

/// A request that arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Method and path.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The receiver; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct WebhookReceiver {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    /// Releases so far.
    released: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct Shared {
    script: VecDeque<Answering>,
    /// In turn, where there is no script.
    usual: Vec<Answering>,
    answered: usize,
    /// Requests that were left without a whole answer, as scripted.
    stalled: usize,
    received: Vec<Received>,
}

impl Shared {
    fn next(&mut self) -> Answering {
        let usual = self.usual.get(self.answered % self.usual.len().max(1)).cloned();
        self.answered += 1;
        let next = self.script.pop_front().or(usual).unwrap_or(Answering::Status(204, ""));
        self.stalled += usize::from(next.stalls());
        next
    }
}

impl WebhookReceiver {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST).await
    }

    /// Starts it on a free port of this address; the unspecified one stands for all of 127.0.0.0/8.
    ///
    /// # Panics
    /// When it cannot listen.
    #[expect(clippy::unwrap_used, reason = "a test that can't listen has failed")]
    pub async fn start_on(address: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, shared: Arc::default(), released: Arc::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        receiver
    }

    /// Its URL, without TLS.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(Ipv4Addr::LOCALHOST)
    }

    /// Its URL at another of its addresses.
    #[must_use]
    pub fn url_at(&self, address: Ipv4Addr) -> String {
        format!("http://{address}:{}/hook", self.port)
    }

    /// Answers the next requests so, one each.
    pub fn script(&self, answers: impl IntoIterator<Item = Answering>) {
        self.lock().script.extend(answers);
    }

    /// Answers requests that have no script so, in turn.
    pub fn usually(&self, answers: impl IntoIterator<Item = Answering>) {
        self.lock().usual = answers.into_iter().collect();
    }

    /// Forgets the script.
    pub fn clear(&self) {
        self.lock().script.clear();
    }

    /// Answers the requests that are [`Answering::Held`].
    pub fn release(&self) {
        self.released.send_modify(|releases| *releases += 1);
    }

    /// How many requests were left waiting, as scripted.
    #[must_use]
    pub fn stalled(&self) -> usize {
        self.lock().stalled
    }

    /// How many requests arrived so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().received.len()
    }

    /// What arrived so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// Waits until exactly this many requests arrived.
    ///
    /// # Panics
    /// When they do not.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        wait_for(format!("{count} webhooks"), async || {
            let received = self.received();
            if received.len() == count { Ok(received) } else { Err(received) }
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: TcpStream) {
        loop {
            if self.leaves_unread(&stream).await {
                until_closed(&mut stream).await;
                return;
            }
            let Some(request) = read(&mut stream).await else { return };
            // Subscribes before the request is seen by others, so that no release is missed.
            let mut released = self.released.subscribe();
            let answering = {
                let mut shared = self.lock();
                shared.received.push(request);
                shared.next()
            };
            let answer = match answering {
                Answering::Status(status, headers) => {
                    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n")
                }
                Answering::Slow(pause) => {
                    sleep(pause).await;
                    NO_CONTENT.to_owned()
                }
                Answering::Held => {
                    let _ = released.changed().await;
                    NO_CONTENT.to_owned()
                }
                Answering::Raw(bytes) => {
                    let _ = stream.write_all(bytes).await;
                    return;
                }
                Answering::Partly => {
                    let _ = stream.write_all(b"HTTP/1.1 204 No Con").await;
                    until_closed(&mut stream).await;
                    return;
                }
                Answering::Never | Answering::Unread => {
                    until_closed(&mut stream).await;
                    return;
                }
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Whether a request has come that is scripted to stay unread.
    async fn leaves_unread(&self, stream: &TcpStream) -> bool {
        if !matches!(stream.peek(&mut [0; 1]).await, Ok(1)) {
            return false;
        }
        let mut shared = self.lock();
        let unread = matches!(shared.script.front(), Some(Answering::Unread));
        if unread {
            shared.next();
        }
        unread
    }
}

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// Reads on until the client closes the connection.
async fn until_closed(stream: &mut TcpStream) {
    while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {}
}

/// The next request of a connection; `None` at its end.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let target = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { target, headers, body: bytes[end + 4..].to_vec() })
}
