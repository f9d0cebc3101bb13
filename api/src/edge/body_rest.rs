//! The unread rest of a request's body when its answer is ready. Unread bytes prevent another request on the connection: a
//! small rest is read first. Otherwise the answer has `Connection: close`, so that the client does not send its next
//! request on a connection that ends.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use poem::{
    Body, Request,
    http::{HeaderMap, header},
};

/// Most bytes that are read.
const MAX_BYTES: usize = 64 * 1024;

/// How long the rest may take to arrive.
const WAIT: Duration = Duration::from_secs(1);

/// The body of a request that is being answered.
pub struct BodyRest(Option<Arc<Shared>>);

struct Shared {
    stream: Mutex<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>>,
    ended: AtomicBool,
    begun: AtomicBool,
    /// Whether the client waits for `100 Continue` before it sends anything.
    expects: bool,
    announced: Option<usize>,
}

impl BodyRest {
    /// Tracks how much of the body is read.
    pub fn watch(request: &mut Request) -> Self {
        let headers = request.headers();
        let announced = length(headers);
        if !headers.contains_key(header::TRANSFER_ENCODING) && announced.is_none_or(|length| length == 0) {
            return Self(None);
        }
        let expects = headers.contains_key(header::EXPECT);
        let stream = request.take_body().into_bytes_stream();
        let shared = Arc::new(Shared {
            stream: Mutex::new(Box::pin(stream)),
            ended: AtomicBool::new(false),
            begun: AtomicBool::new(false),
            expects,
            announced,
        });
        request.set_body(Body::from_bytes_stream(Reader(Arc::clone(&shared))));
        Self(Some(shared))
    }

    /// Reads the rest, if it is small. Returns whether the connection can carry another request.
    pub async fn finish(self) -> bool {
        let Some(shared) = self.0 else { return true };
        if shared.ended.load(Ordering::Acquire) {
            return true;
        }
        let never_sent = shared.expects && !shared.begun.load(Ordering::Acquire);
        let too_large = shared.announced.is_some_and(|length| length > MAX_BYTES);
        // Another task still reads it, to discard a large body.
        let is_read_elsewhere = Arc::strong_count(&shared) > 1;
        if never_sent || too_large || is_read_elsewhere {
            return false;
        }
        let drained = tokio::time::timeout(WAIT, async {
            let (mut reader, mut read) = (Reader(Arc::clone(&shared)), 0);
            while let Some(chunk) = reader.next().await {
                read += chunk.as_ref().map_or(MAX_BYTES, Bytes::len);
                if read > MAX_BYTES || chunk.is_err() {
                    return false;
                }
            }
            true
        });
        drained.await.unwrap_or(false)
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

struct Reader(Arc<Shared>);

impl Stream for Reader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.begun.store(true, Ordering::Release);
        let mut stream = self.0.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = stream.as_mut().poll_next(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.0.ended.store(true, Ordering::Release);
        }
        polled
    }
}
