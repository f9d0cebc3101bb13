//! The dialogue with one client of the sink.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Act, ReceivedMail, Shared, TlsAndLogin, Verb, lock};

/// One client's SMTP dialogue.
#[derive(Clone)]
pub(super) struct Conversation {
    pub shared: Arc<Mutex<Shared>>,
    pub changed: Arc<watch::Sender<()>>,
    pub released: Arc<watch::Sender<bool>>,
    pub secured: Option<TlsAndLogin>,
}

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

type Client = BufReader<Box<dyn Wire>>;

/// Result of a verb.
enum VerbResult {
    Continue,
    Refused,
    HangUp,
}

impl Conversation {
    /// Serves the client until it or a script closes the connection.
    pub async fn with(self, client: TcpStream) {
        let _ = client.set_nodelay(true);
        let welcome = {
            let mut shared = lock(&self.shared);
            let welcome = shared.most_connections.is_none_or(|most| shared.open < most);
            if welcome {
                shared.open += 1;
                shared.most_open = shared.most_open.max(shared.open);
            }
            welcome
        };
        if welcome {
            let _ = self.begin(client).await;
            lock(&self.shared).open -= 1;
        } else {
            let mut client = client;
            self.note(Verb::Banner);
            let _ = client.write_all(b"421 4.7.0 too many connections\r\n").await;
        }
    }

    async fn begin(&self, client: TcpStream) -> std::io::Result<()> {
        match &self.secured {
            Some(secured) if secured.implicit_tls => {
                let client = secured.certificate.acceptor.accept(client).await?;
                self.talk(BufReader::new(Box::new(client)), true).await
            }
            _ => self.talk(BufReader::new(Box::new(client)), false).await,
        }
    }

    async fn talk(&self, mut client: Client, mut encrypted: bool) -> std::io::Result<()> {
        if !matches!(self.answer(&mut client, Verb::Banner, "220 sink ESMTP").await?, VerbResult::Continue) {
            return Ok(());
        }
        let mut recipient = String::new();
        let mut line = String::new();
        let mut known = self.secured.is_none();
        let mut messages = 0;
        loop {
            line.clear();
            if client.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let word = line.split([' ', '\r', '\n']).next().unwrap_or_default().to_ascii_uppercase();
            let then = match word.as_str() {
                "EHLO" | "HELO" => {
                    let name = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
                    lock(&self.shared).hellos.push(name);
                    let offered = match (&self.secured, encrypted) {
                        (None, _) => "250-sink\r\n250 8BITMIME",
                        (Some(_), false) => "250-sink\r\n250 STARTTLS",
                        (Some(_), true) => "250-sink\r\n250 AUTH PLAIN",
                    };
                    self.answer(&mut client, Verb::Ehlo, offered).await?
                }
                "STARTTLS" if !encrypted => {
                    let then = self.answer(&mut client, Verb::StartTls, "220 2.0.0 go ahead").await?;
                    if let (VerbResult::Continue, Some(secured)) = (&then, &self.secured) {
                        let inner = secured.certificate.acceptor.accept(client.into_inner()).await?;
                        client = BufReader::new(Box::new(inner));
                        encrypted = true;
                    }
                    then
                }
                "AUTH" if encrypted => {
                    known = self.secured.as_ref().is_some_and(|secured| secured.accepts(&line));
                    if known {
                        self.answer(&mut client, Verb::Auth, "235 2.7.0 welcome").await?
                    } else {
                        client.write_all(b"535 5.7.8 wrong user or password\r\n").await?;
                        VerbResult::Refused
                    }
                }
                "MAIL" if !known => {
                    client.write_all(b"530 5.7.0 who are you?\r\n").await?;
                    VerbResult::Refused
                }
                "MAIL" if lock(&self.shared).most_messages.is_some_and(|most| messages >= most) => {
                    self.note(Verb::Mail);
                    client.write_all(b"450 4.7.0 too many messages in this session\r\n").await?;
                    VerbResult::Refused
                }
                "MAIL" => self.answer(&mut client, Verb::Mail, "250 2.1.0 ok").await?,
                "RCPT" => {
                    recipient = between(&line, '<', '>');
                    self.answer_to(&mut client, Verb::Rcpt, &recipient, "250 2.1.5 ok").await?
                }
                "DATA" => match self.answer_to(&mut client, Verb::Data, &recipient, "354 go on").await? {
                    VerbResult::Continue => {
                        let bytes = read_message(&mut client).await?;
                        messages += 1;
                        self.take(&mut client, &recipient, bytes).await?
                    }
                    then => then,
                },
                "RSET" => self.answer(&mut client, Verb::Rset, "250 2.0.0 ok").await?,
                "QUIT" => {
                    self.answer(&mut client, Verb::Quit, "221 2.0.0 bye").await?;
                    VerbResult::HangUp
                }
                _ => {
                    client.write_all(b"500 5.5.1 what?\r\n").await?;
                    VerbResult::Continue
                }
            };
            if matches!(then, VerbResult::HangUp) {
                return Ok(());
            }
        }
    }

    /// Counts the verb and executes its script, or else replies normally.
    async fn answer(&self, client: &mut Client, verb: Verb, usual: &str) -> std::io::Result<VerbResult> {
        let act = self.next_act(verb);
        self.note(verb);
        self.perform(client, act, usual).await
    }

    /// As [`Self::answer`], unless there is something to do for this recipient.
    async fn answer_to(
        &self,
        client: &mut Client,
        verb: Verb,
        recipient: &str,
        usual: &str,
    ) -> std::io::Result<VerbResult> {
        let act = self.act_for(verb, recipient);
        let act = act.or_else(|| self.next_act(verb));
        self.note(verb);
        self.perform(client, act, usual).await
    }

    /// A message that is not refused is in the journal before the reply.
    async fn take(
        &self,
        client: &mut Client,
        recipient: &str,
        bytes: Vec<u8>,
    ) -> std::io::Result<VerbResult> {
        let act = self.act_for(Verb::Dot, recipient).or_else(|| self.next_act(Verb::Dot));
        if !act.as_ref().is_some_and(Act::refuses) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let taken = ReceivedMail {
                recipient: recipient.to_owned(),
                message_id: header(&text, "Message-ID"),
                subject: header(&text, "Subject"),
                bytes,
            };
            lock(&self.shared).journal.push(taken);
        }
        self.note(Verb::Dot);
        self.perform(client, act, "250 2.0.0 taken").await
    }

    fn act_for(&self, verb: Verb, recipient: &str) -> Option<Act> {
        lock(&self.shared).always_to.get(&(verb, recipient.to_owned())).cloned()
    }

    fn next_act(&self, verb: Verb) -> Option<Act> {
        let mut shared = lock(&self.shared);
        let scripted = shared.script.get_mut(&verb).and_then(VecDeque::pop_front);
        scripted.or_else(|| shared.always.get(&verb).cloned())
    }

    fn note(&self, verb: Verb) {
        *lock(&self.shared).seen.entry(verb).or_default() += 1;
        self.changed.send_replace(());
    }

    async fn perform(
        &self,
        client: &mut Client,
        act: Option<Act>,
        usual: &str,
    ) -> std::io::Result<VerbResult> {
        let reply = match act {
            None => usual,
            Some(Act::Reply(reply)) => reply,
            Some(Act::Raw(bytes)) => {
                client.write_all(bytes).await?;
                return Ok(if bytes.starts_with(b"2") { VerbResult::Continue } else { VerbResult::Refused });
            }
            Some(Act::Cut) => return Ok(VerbResult::HangUp),
            Some(Act::Stall) => {
                let mut released = self.released.subscribe();
                tokio::select! {
                    _ = released.wait_for(|released| *released) => usual,
                    // The client gave up: it closes, or sends commands that a stalled server does not read.
                    _ = client.fill_buf() => return Ok(VerbResult::HangUp),
                }
            }
        };
        client.write_all(format!("{reply}\r\n").as_bytes()).await?;
        Ok(match reply.as_bytes().first() {
            Some(b'2' | b'3') => VerbResult::Continue,
            _ if reply.starts_with("421") => VerbResult::HangUp,
            _ => VerbResult::Refused,
        })
    }
}

/// Reads up to the final dot and removes dot-stuffing (RFC 5321 §4.5.2).
async fn read_message(client: &mut Client) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if (&mut *client).take(1 << 20).read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn between(line: &str, open: char, close: char) -> String {
    let inner = line.split_once(open).and_then(|(_, rest)| rest.split_once(close));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}

fn header(message: &str, name: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let unfolded = head.replace("\r\n ", " ");
    let line = unfolded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().to_owned()
}
