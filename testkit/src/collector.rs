//! A trace collector: receives OTLP over HTTP and parses it with OpenTelemetry's own types.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::wait_for;

/// A span and the program it came from.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `service.name`.
    pub program: String,
    /// The span.
    pub span: Span,
}

impl Seen {
    /// An attribute as text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<String> {
        text(&self.span.attributes, name)
    }
}

/// The collector.
pub struct Collector {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    /// Starts it on a free port.
    ///
    /// # Panics
    ///
    /// When it cannot listen.
    #[expect(clippy::unwrap_used, reason = "a test that can't listen has failed")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&taken)));
            }
        });
        Self { url, seen }
    }

    /// The value for `PUNCTUAL_OTLP_ENDPOINT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The spans of a trace, once `enough` accepts them.
    ///
    /// # Panics
    ///
    /// When they do not arrive.
    pub async fn trace(&self, trace_id: &[u8], enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        wait_for("the spans of a trace", async || {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let spans: Vec<_> = seen.into_iter().filter(|seen| seen.span.trace_id == trace_id).collect();
            if enough(&spans) { Ok(spans) } else { Err(spans) }
        })
        .await
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let body = loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(body) = whole(&request) {
            break body;
        }
    };
    let status = match ExportTraceServiceRequest::decode(body) {
        Ok(export) => {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for of_resource in export.resource_spans {
                let attributes = of_resource.resource.unwrap_or_default().attributes;
                let program = text(&attributes, "service.name").unwrap_or_default();
                let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
                seen.extend(spans.map(|span| Seen { program: program.clone(), span }));
            }
            "200 OK"
        }
        Err(_) => "400 Bad Request",
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await
}

/// The body of `POST /v1/traces`, once it is complete.
fn whole(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&request[..end]).ok()?;
    let (mut lines, body) = (head.split("\r\n"), &request[end + 4..]);
    let right = lines.next() == Some("POST /v1/traces HTTP/1.1")
        && head.contains("\r\ncontent-type: application/x-protobuf");
    let length = lines.find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().ok()?;
    (right && body.len() >= length).then(|| &body[..length])
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|pair| pair.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::BoolValue(yes) => Some(yes.to_string()),
        _ => None,
    }
}
