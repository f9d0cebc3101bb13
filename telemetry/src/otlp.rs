//! Takes finished spans to a collector: OTLP over HTTP, as protobuf.
//!
//! Tracing never holds up what is traced: spans wait in a bounded queue, and those that find it full, or whose collector
//! does not take them at the second try, are dropped and counted.

mod request;
mod wire;

use std::io;
use std::time::Duration;

use punctual_core::config::HttpEndpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::recording::Recording;

/// Spans that wait to be sent.
const WAITING: usize = 8192;
/// Spans in one request.
const BATCH: usize = 512;
/// A batch is sent this long after its first span, or when it is full.
const LINGER: Duration = Duration::from_secs(1);
/// How long the collector has for a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between the two tries.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the program's end waits for the last spans.
const FAREWELL: Duration = Duration::from_secs(3);

enum Message {
    Span(Box<Recording>),
    /// Send all there is, and say so.
    Finish(oneshot::Sender<()>),
}

/// Sends spans. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Exporter {
    queue: mpsc::Sender<Message>,
}

impl Exporter {
    /// Starts the task that sends.
    pub fn start(endpoint: HttpEndpoint, program: &'static str) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(send_all(endpoint, request::Sender::new(program), waiting));
        Self { queue }
    }

    /// Takes a span that has ended.
    pub fn take(&self, recording: Recording) {
        if self.queue.try_send(Message::Span(Box::new(recording))).is_err() {
            dropped(1);
        }
    }

    /// Sends what waits, for a moment at most.
    pub async fn finish(self) {
        let (done, sent) = oneshot::channel();
        let farewell = async {
            if self.queue.send(Message::Finish(done)).await.is_ok() {
                // An error says that the task is gone, and with it the spans.
                let _ = sent.await;
            }
        };
        // Past this the last spans are lost; the program's end matters more.
        let _ = timeout(FAREWELL, farewell).await;
    }
}

fn dropped(spans: usize) {
    metrics::describe_counter!("trace_spans_dropped_total", "Spans that the collector did not get.");
    metrics::counter!("trace_spans_dropped_total").increment(spans as u64);
}

async fn send_all(endpoint: HttpEndpoint, sender: request::Sender, mut waiting: mpsc::Receiver<Message>) {
    let mut away = false;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let finish = gather(&mut waiting, &mut batch).await;
        if !batch.is_empty() {
            let sent = send(&endpoint, &sender.encode(&batch)).await;
            match &sent {
                Err(error) if !away => {
                    tracing::warn!(%error, "the collector of traces (PUNCTUAL_OTLP_ENDPOINT)");
                }
                Ok(()) if away => tracing::info!("the collector of traces takes spans again"),
                _ => {}
            }
            away = sent.is_err();
            if away {
                dropped(batch.len());
            }
            batch.clear();
        }
        match finish {
            Gathered::More => {}
            Gathered::Asked(done) => {
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Gathered::Over => return,
        }
    }
}

enum Gathered {
    More,
    Asked(oneshot::Sender<()>),
    Over,
}

/// Fills a batch.
async fn gather(waiting: &mut mpsc::Receiver<Message>, batch: &mut Vec<Recording>) -> Gathered {
    let mut until = None;
    while batch.len() < BATCH {
        let message = match until {
            None => waiting.recv().await,
            Some(until) => match tokio::time::timeout_at(until, waiting.recv()).await {
                Ok(message) => message,
                Err(_) => return Gathered::More,
            },
        };
        match message {
            Some(Message::Span(span)) => batch.push(*span),
            Some(Message::Finish(done)) => return Gathered::Asked(done),
            None => return Gathered::Over,
        }
        until = until.or_else(|| Some(tokio::time::Instant::now() + LINGER));
    }
    Gathered::More
}

async fn send(endpoint: &HttpEndpoint, body: &[u8]) -> io::Result<()> {
    if try_once(endpoint, body).await.is_ok() {
        return Ok(());
    }
    tokio::time::sleep(AGAIN).await;
    try_once(endpoint, body).await
}

async fn try_once(endpoint: &HttpEndpoint, body: &[u8]) -> io::Result<()> {
    let status = timeout(PATIENCE, post(endpoint, body)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if (200..300).contains(&status) {
        Ok(())
    } else {
        Err(io::Error::other(format!("it answers with status {status}")))
    }
}

/// One request on a connection of its own; only the answer's status matters.
async fn post(endpoint: &HttpEndpoint, body: &[u8]) -> io::Result<u16> {
    let mut stream = TcpStream::connect(endpoint.authority()).await?;
    let head = format!(
        "POST {}/v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-protobuf\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        endpoint.path(),
        endpoint.authority(),
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    let status = std::str::from_utf8(&start[9..]).ok().and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| io::Error::other("its answer is not HTTP"))
}
