//! Sends finished spans to a collector: OTLP over HTTP, as protobuf.
//!
//! Tracing never delays the traced program: spans wait in a bounded queue. Spans are dropped and counted if the queue is
//! full, or if the collector refuses their batch twice.

mod request;
mod wire;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::settings::HttpEndpoint;
use crate::span::SpanData;

/// Most spans waiting to be sent.
const QUEUE_SIZE: usize = 8192;
/// Most spans in one request.
const BATCH_SIZE: usize = 512;
/// A batch is sent this long after its first span, or when it is full.
const LINGER: Duration = Duration::from_secs(1);
/// How long the collector may take for a batch.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Between the two attempts.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long a stopping program waits for the last spans.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);

enum Message {
    Span(Box<SpanData>),
    /// Send everything, then signal.
    Flush(oneshot::Sender<()>),
}

/// The sending half. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Exporter {
    queue: mpsc::Sender<Message>,
}

impl Exporter {
    /// Starts the task that sends spans to `endpoint`.
    pub fn start(endpoint: HttpEndpoint, program: &'static str) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_SIZE);
        tokio::spawn(send_all(endpoint, request::Resource::new(program), waiting));
        Self { queue }
    }

    /// Queues a finished span.
    pub fn export(&self, span: SpanData) {
        if self.queue.try_send(Message::Span(Box::new(span))).is_err() {
            dropped(1);
        }
    }

    /// Sends the queued spans, for [`FINISH_TIMEOUT`] at most.
    pub async fn finish(self) {
        let (done, sent) = oneshot::channel();
        let flushed = async {
            if self.queue.send(Message::Flush(done)).await.is_ok() {
                // An error means that the task has ended; its spans are lost.
                let _ = sent.await;
            }
        };
        // After the timeout the last spans are lost: stopping matters more.
        let _ = timeout(FINISH_TIMEOUT, flushed).await;
    }
}

fn dropped(spans: usize) {
    metrics::describe_counter!("trace_spans_dropped_total", "Spans that the collector did not receive.");
    metrics::counter!("trace_spans_dropped_total").increment(spans as u64);
}

async fn send_all(endpoint: HttpEndpoint, resource: request::Resource, mut waiting: mpsc::Receiver<Message>) {
    let mut unavailable = false;
    let mut batch = Vec::with_capacity(BATCH_SIZE);
    loop {
        let end = fill_batch(&mut waiting, &mut batch).await;
        if !batch.is_empty() {
            let sent = send(&endpoint, &resource.encode(&batch)).await;
            match &sent {
                Err(error) if !unavailable => {
                    tracing::warn!(%error, "the collector of traces (PUNCTUAL_OTLP_ENDPOINT) does not accept spans");
                }
                Ok(()) if unavailable => tracing::info!("the collector of traces accepts spans again"),
                _ => {}
            }
            unavailable = sent.is_err();
            if unavailable {
                dropped(batch.len());
            }
            batch.clear();
        }
        match end {
            BatchEnd::Ready => {}
            BatchEnd::Flush(done) => {
                // An error means that the caller has stopped waiting.
                let _ = done.send(());
            }
            BatchEnd::Closed => return,
        }
    }
}

/// Why a batch ends.
enum BatchEnd {
    /// It is full or old enough.
    Ready,
    /// Sends all spans now.
    Flush(oneshot::Sender<()>),
    /// Every exporter is gone.
    Closed,
}

/// Collects spans until the batch ends.
async fn fill_batch(waiting: &mut mpsc::Receiver<Message>, batch: &mut Vec<SpanData>) -> BatchEnd {
    let mut until = None;
    while batch.len() < BATCH_SIZE {
        let message = match until {
            None => waiting.recv().await,
            Some(until) => match tokio::time::timeout_at(until, waiting.recv()).await {
                Ok(message) => message,
                Err(_) => return BatchEnd::Ready,
            },
        };
        match message {
            Some(Message::Span(span)) => batch.push(*span),
            Some(Message::Flush(done)) => return BatchEnd::Flush(done),
            None => return BatchEnd::Closed,
        }
        until = until.or_else(|| Some(tokio::time::Instant::now() + LINGER));
    }
    BatchEnd::Ready
}

async fn send(endpoint: &HttpEndpoint, body: &[u8]) -> io::Result<()> {
    if try_once(endpoint, body).await.is_ok() {
        return Ok(());
    }
    tokio::time::sleep(RETRY_DELAY).await;
    try_once(endpoint, body).await
}

async fn try_once(endpoint: &HttpEndpoint, body: &[u8]) -> io::Result<()> {
    let status =
        timeout(REQUEST_TIMEOUT, post(endpoint, body)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if (200..300).contains(&status) {
        Ok(())
    } else {
        Err(io::Error::other(format!("it responded with status {status}")))
    }
}

/// One request on a new connection; returns the response's status.
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
    status.ok_or_else(|| io::Error::other("its response is not HTTP"))
}
