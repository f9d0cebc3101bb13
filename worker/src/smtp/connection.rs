//! One SMTP connection to the relay.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::{Instant, timeout};

use super::failure::{Failure, Step};
use super::reply::{Reply, read_reply};
use super::timeouts::Timeouts;
use super::trace::{record_code, traced};

/// Mails sent over one connection before it is replaced.
const MAX_USES: u32 = 100;
/// How long closing a connection may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A byte stream to the relay, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Counts open connections; clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenCount(Arc<AtomicUsize>);

impl OpenCount {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One connection in an [`OpenCount`].
struct Counted(OpenCount);

impl Counted {
    fn new(count: &OpenCount) -> Self {
        count.0.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection, and whether it can carry the next mail.
pub(super) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    /// No mail transaction is open. Stays false if a step is dropped half-way.
    clean: bool,
    uses: u32,
    last_used: Instant,
    counted: Option<Counted>,
}

impl Connection {
    /// A connection before the banner.
    pub fn new(stream: Box<dyn Stream>) -> Self {
        let stream = BufReader::new(stream);
        Self { stream, clean: true, uses: 0, last_used: Instant::now(), counted: None }
    }

    /// The stream, to encrypt it. Bytes that the relay sent ahead are dropped (RFC 3207 §4.2).
    pub fn into_stream(self) -> Box<dyn Stream> {
        self.stream.into_inner()
    }

    /// Marks the connection as established.
    pub fn established(mut self, open: &OpenCount) -> Self {
        self.counted = Some(Counted::new(open));
        self
    }

    /// Whether the pool may reuse it; `idle` is the longest time it may have been unused.
    pub fn is_usable(&self, idle: Duration) -> bool {
        self.clean && self.last_used.elapsed() < idle && self.uses < MAX_USES
    }

    /// Whether it has been used before. The relay may have closed such a connection while it was idle.
    pub fn was_used(&self) -> bool {
        self.uses > 0
    }

    /// Sends QUIT and closes.
    pub async fn quit(mut self) {
        if self.clean {
            let _ = timeout(QUIT_TIMEOUT, self.exchange(b"QUIT\r\n")).await;
        }
    }

    /// The banner.
    pub async fn banner(&mut self, limit: Duration) -> Result<Reply, Failure> {
        let reply = within(limit, read_reply(&mut self.stream)).await;
        completion(Step::Connect, reply)
    }

    /// EHLO with our name. The reply's lines after the first are the relay's extensions.
    pub async fn ehlo(&mut self, name: &str, limit: Duration) -> Result<Reply, Failure> {
        self.plain_command(Step::Connect, limit, &format!("EHLO {name}")).await
    }

    /// STARTTLS; the relay must offer it.
    pub async fn starttls(&mut self, extensions: &Reply, limit: Duration) -> Result<(), Failure> {
        if !extensions.lines.iter().skip(1).any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
            return Err(Failure::no_reply(Step::StartTls, "the relay does not offer STARTTLS"));
        }
        self.plain_command(Step::StartTls, limit, "STARTTLS").await.map(drop)
    }

    /// AUTH by PLAIN or LOGIN, whichever the relay offers.
    pub async fn auth(
        &mut self,
        extensions: &Reply,
        user: &str,
        password: &str,
        limit: Duration,
    ) -> Result<(), Failure> {
        let offers = |mechanism: &str| {
            let auth = extensions.lines.iter().skip(1).map(|line| line.to_ascii_uppercase());
            auth.filter(|line| line.starts_with("AUTH"))
                .any(|line| line[4..].split([' ', '=', '\t']).any(|offered| offered == mechanism))
        };
        if offers("PLAIN") {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            return self.plain_command(Step::Auth, limit, &format!("AUTH PLAIN {secret}")).await.map(drop);
        }
        if !offers("LOGIN") {
            return Err(Failure::no_reply(Step::Auth, "the relay offers neither AUTH PLAIN nor AUTH LOGIN"));
        }
        for prompt in ["AUTH LOGIN".to_owned(), STANDARD.encode(user)] {
            let reply = within(limit, self.exchange(format!("{prompt}\r\n").as_bytes())).await;
            let reply = reply.map_err(|error| Failure::of_io(Step::Auth, &error))?;
            if !reply.is_intermediate() {
                return Err(Failure::of_reply(Step::Auth, &reply));
            }
        }
        self.plain_command(Step::Auth, limit, &STANDARD.encode(password)).await.map(drop)
    }

    /// MAIL and RCPT.
    pub async fn envelope(
        &mut self,
        sender: &Address,
        recipient: &Address,
        timeouts: &Timeouts,
    ) -> Result<(), Failure> {
        self.clean = false;
        self.uses += 1;
        for (step, command) in
            [(Step::Mail, format!("MAIL FROM:<{sender}>")), (Step::Rcpt, format!("RCPT TO:<{recipient}>"))]
        {
            let result = traced(step, async {
                let reply = self.plain_command(step, timeouts.command, &command).await?;
                record_code(&reply);
                Ok(())
            })
            .await;
            self.reset_if_refused(result, timeouts).await?;
        }
        Ok(())
    }

    /// DATA, the message, and the line with a single dot that ends it. Returns the reply to the message.
    pub async fn message(&mut self, message: &[u8], timeouts: &Timeouts) -> Result<Reply, Failure> {
        let result = traced(Step::Data, async {
            let reply = within(timeouts.data, self.exchange(b"DATA\r\n")).await;
            let reply = reply.map_err(|error| Failure::of_io(Step::Data, &error))?;
            record_code(&reply);
            if reply.is_intermediate() { Ok(()) } else { Err(Failure::of_reply(Step::Data, &reply)) }
        })
        .await;
        self.reset_if_refused(result, timeouts).await?;
        let result = traced(Step::EndOfData, async {
            let reply = within(timeouts.end_of_data, self.exchange(&dot_stuffed(message))).await;
            let reply = completion(Step::EndOfData, reply)?;
            record_code(&reply);
            Ok(reply)
        })
        .await;
        self.last_used = Instant::now();
        self.clean = result.as_ref().map_or_else(Failure::leaves_connection_usable, |_| true);
        result
    }

    /// RSET, after which the connection can carry another mail.
    pub async fn reset(&mut self, timeouts: &Timeouts) {
        let result = traced(Step::Reset, async {
            let reply = self.plain_command(Step::Reset, timeouts.command, "RSET").await?;
            record_code(&reply);
            Ok(())
        })
        .await;
        self.clean = result.is_ok();
        self.last_used = Instant::now();
    }

    /// Passes the result on; resets the connection if the relay refused and it can still be used.
    async fn reset_if_refused(
        &mut self,
        result: Result<(), Failure>,
        timeouts: &Timeouts,
    ) -> Result<(), Failure> {
        if let Err(failure) = &result
            && failure.leaves_connection_usable()
        {
            self.reset(timeouts).await;
        }
        result
    }

    /// A command that a reply of 2xx completes.
    async fn plain_command(&mut self, step: Step, limit: Duration, command: &str) -> Result<Reply, Failure> {
        let reply = within(limit, self.exchange(format!("{command}\r\n").as_bytes())).await;
        completion(step, reply)
    }

    async fn exchange(&mut self, bytes: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        read_reply(&mut self.stream).await
    }
}

/// A reply of 2xx, or how the step failed.
fn completion(step: Step, reply: io::Result<Reply>) -> Result<Reply, Failure> {
    let reply = reply.map_err(|error| Failure::of_io(step, &error))?;
    if reply.is_completion() { Ok(reply) } else { Err(Failure::of_reply(step, &reply)) }
}

/// The message with its dots doubled at the start of lines (RFC 5321 §4.5.2), and the line that ends it.
fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line);
    }
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

/// The result of `work` if it comes in time.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_does_not_end_the_message() {
        for (message, sent) in [
            ("A: b\r\n\r\n.\r\n..c\r\nd.e\r\n", "A: b\r\n\r\n..\r\n...c\r\nd.e\r\n.\r\n"),
            ("no end", "no end\r\n.\r\n"),
            ("", "\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(dot_stuffed(message.as_bytes())).unwrap(), sent);
        }
    }
}
