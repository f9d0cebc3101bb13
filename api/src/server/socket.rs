//! Wraps a client's socket for hyper: a client that does not read its answer is disconnected, hyper's empty answer to an
//! invalid head becomes a problem, and the rest of such a request is read before the socket is closed, so that the answer
//! is not lost.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use poem::http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// The whole answer, head and body, to an invalid head.
pub type Refusal = Arc<dyn Fn(StatusCode) -> Vec<u8> + Send + Sync>;

/// Most bytes that are read and discarded of a refused request.
const DISCARD: usize = 1024 * 1024;

/// Timeout of that read.
const LINGER: Duration = Duration::from_secs(2);

/// Beginning of hyper's own answers; our answers with these statuses have a body.
const OWN: [(&[u8], StatusCode); 2] = [
    (b"HTTP/1.1 400 ", StatusCode::BAD_REQUEST),
    (b"HTTP/1.1 431 ", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
];

pub struct Socket {
    inner: TcpStream,
    refusal: Refusal,
    write_timeout: Duration,
    /// Runs while the client reads nothing, or while the rest is read.
    timer: Option<Pin<Box<Sleep>>>,
    /// What is written instead of hyper's answer, and how much of it has been written.
    instead: Option<(Vec<u8>, usize)>,
    discarded: usize,
    refused: bool,
    head: Head,
}

impl Socket {
    /// A client that reads nothing of its answer for `write_timeout` is disconnected.
    pub fn new(inner: TcpStream, write_timeout: Duration, refusal: Refusal) -> Self {
        Self {
            inner,
            refusal,
            write_timeout,
            timer: None,
            instead: None,
            discarded: 0,
            refused: false,
            head: Head::default(),
        }
    }

    /// Ready with an error after this long without progress.
    fn poll_late(&mut self, cx: &mut Context<'_>, write_timeout: Duration) -> Poll<io::Error> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(write_timeout)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write_vectored(cx, bufs) {
            Poll::Ready(written) => {
                self.timer = None;
                Poll::Ready(written)
            }
            Poll::Pending => self.poll_late(cx, self.write_timeout).map(Err),
        }
    }

    /// Writes the replacement of hyper's answer, which then counts as written.
    fn poll_write_instead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, at)) = self.instead.take() {
            if at >= bytes.len() {
                break;
            }
            let written = self.poll_write_some(cx, &[IoSlice::new(&bytes[at..])]);
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.instead = Some((bytes, at + written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.instead = Some((bytes, at));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads and discards what the client still sends, within limits.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0_u8; 4096];
        while self.discarded < DISCARD {
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.inner).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => self.discarded += buf.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.poll_late(cx, LINGER).map(drop),
            }
        }
        Poll::Ready(())
    }
}

/// Position in a request's head. hyper accepts a bare line feed as the end of a line, which proxies may read otherwise
/// (RFC 9112 §2.2): such a byte is replaced by an invalid one, so that the answer is 400. The heads of pipelined requests
/// are not checked.
#[derive(Default)]
struct Head {
    /// The last bytes that were read, the newest first.
    last: [u8; 3],
    begun: bool,
    ended: bool,
}

impl Head {
    fn spoil_bare_line_feeds(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.ended {
                return;
            }
            if *byte == b'\n' && self.last[0] != b'\r' {
                *byte = 0;
            }
            self.ended = self.begun && *byte == b'\n' && self.last == *b"\r\n\r";
            self.begun |= !matches!(*byte, b'\r' | b'\n');
            self.last = [*byte, self.last[0], self.last[1]];
        }
    }
}

/// The status of an answer that hyper generates: a head alone with an empty body.
fn own_answer(bytes: &[u8]) -> Option<StatusCode> {
    let (_, status) = OWN.iter().find(|(start, _)| bytes.starts_with(start))?;
    let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    (bytes.ends_with(b"\r\n\r\n") && has(b"\r\ncontent-length: 0\r\n") && !has(b"\r\nx-request-id: "))
        .then_some(*status)
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.head.spoil_bare_line_feeds(&mut buf.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
        if first.starts_with(b"HTTP/1.") && !first.starts_with(b"HTTP/1.1 100") {
            self.head = Head::default();
        }
        let Some(status) = own_answer(first) else { return self.poll_write_some(cx, bufs) };
        if self.instead.is_none() {
            self.refused = true;
            self.instead = Some(((self.refusal)(status), 0));
        }
        ready!(self.poll_write_instead(cx))?;
        Poll::Ready(Ok(first.len()))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        if self.refused {
            ready!(self.poll_discard(cx));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_line_feed_is_spoilt_in_a_head_and_left_in_a_body() {
        let read = |parts: &[&str]| {
            let mut head = Head::default();
            parts.iter().fold(Vec::new(), |mut all, part| {
                let mut bytes = part.as_bytes().to_vec();
                head.spoil_bare_line_feeds(&mut bytes);
                all.extend(bytes);
                all
            })
        };
        assert_eq!(read(&["GET / HTTP/1.1\nhost: x\r\n\r\n"]), b"GET / HTTP/1.1\0host: x\r\n\r\n");
        assert_eq!(read(&["GET / HTTP/1.1\r", "\nhost: x\r\n\n"]), b"GET / HTTP/1.1\r\nhost: x\r\n\0");
        let body = "\r\nPOST / HTTP/1.1\r\nhost: x\r\n\r\n{\n}\n";
        assert_eq!(read(&[body]), body.as_bytes());
    }

    #[test]
    fn only_an_answer_that_is_not_ours_is_replaced() {
        let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n";
        let own = |text: &str| own_answer(text.as_bytes());
        assert_eq!(own(&format!("{head}\r\n")), Some(StatusCode::BAD_REQUEST));
        assert_eq!(own(&format!("{head}x-request-id: 1\r\n\r\n")), None);
        assert_eq!(own("HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n"), None);
        assert_eq!(own("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), None);
    }
}
