//! A scripted mail server for fault tests. An accepted message is in its journal before the 250 is sent, so journal and
//! ledger can be compared after any cut or kill.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::WAIT_TIMEOUT;
use crate::certificate::Certificate;

/// Points of the dialogue at which a script can act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A client has connected.
    Banner,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH with the correct password.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the message: it is in the journal.
    Dot,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}

/// The scripted action instead of the normal reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Replies with this text, such as `450 4.2.0 later`. A refused message is not in the journal.
    Reply(&'static str),
    /// Sends these bytes, line end included. Not for DATA.
    Raw(&'static [u8]),
    /// Replies normally, but waits first for [`SmtpSink::release`] or the client's disconnect. At the end of a message
    /// it is in the journal before the wait.
    Stall,
    /// Closes the connection without a reply. At the end of a message it is in the journal before.
    Cut,
}

impl Act {
    /// Whether this reply refuses the message.
    fn refuses(&self) -> bool {
        match self {
            Self::Reply(_) => true,
            Self::Raw(bytes) => !bytes.starts_with(b"2"),
            Self::Stall | Self::Cut => false,
        }
    }
}

/// TLS and credentials of a sink that requires them.
#[derive(Clone)]
pub struct TlsAndLogin {
    /// The server's certificate and key.
    pub certificate: Certificate,
    /// Encrypted from the first byte, instead of by STARTTLS.
    pub implicit_tls: bool,
    /// The user name.
    pub user: &'static str,
    /// The password.
    pub password: &'static str,
}

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// RCPT TO.
    pub recipient: String,
    /// The Message-ID header, brackets included.
    pub message_id: String,
    /// The Subject header, as sent.
    pub subject: String,
    /// The whole message, dot-unstuffed.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    script: HashMap<Verb, VecDeque<Act>>,
    always: HashMap<Verb, Act>,
    always_to: HashMap<(Verb, String), Act>,
    /// Connections that may be open at a time; a further one gets 421 as its greeting.
    most_connections: Option<usize>,
    /// Messages per connection; a further MAIL gets 450.
    most_messages: Option<usize>,
    open: usize,
    most_open: usize,
    hellos: Vec<String>,
    seen: HashMap<Verb, usize>,
    journal: Vec<ReceivedMail>,
}

/// A running sink; it ends with the value.
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    changed: Arc<watch::Sender<()>>,
    released: Arc<watch::Sender<bool>>,
    server: JoinHandle<()>,
}

impl SmtpSink {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Listens as [`Self::start`] does and takes mails only on an encrypted connection with the password.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn secured(secured: TlsAndLogin) -> Self {
        Self::listen(Some(secured)).await
    }

    async fn listen(secured: Option<TlsAndLogin>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port's address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (changed, released) = (Arc::new(watch::Sender::new(())), Arc::new(watch::Sender::new(false)));
        let sink = Conversation {
            shared: Arc::clone(&shared),
            changed: Arc::clone(&changed),
            released: Arc::clone(&released),
            secured,
        };
        let server = tokio::spawn(async move {
            let mut clients = tokio::task::JoinSet::new();
            loop {
                while clients.try_join_next().is_some() {}
                if let Ok((client, _)) = listener.accept().await {
                    clients.spawn(sink.clone().with(client));
                }
            }
        });
        Self { address, shared, changed, released, server }
    }

    /// `scheme://credentials@localhost:…` for one that is [`Self::secured`].
    #[must_use]
    pub fn url_as(&self, scheme: &str, credentials: &str) -> String {
        format!("{scheme}://{credentials}@localhost:{}", self.address.port())
    }

    /// `smtp://127.0.0.1:…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// At the next occurrences of the verb, in this order.
    pub fn script(&self, verb: Verb, acts: impl IntoIterator<Item = Act>) {
        lock(&self.shared).script.entry(verb).or_default().extend(acts);
    }

    /// At every occurrence of the verb that has no script, until [`Self::heal`].
    pub fn always(&self, verb: Verb, act: Act) {
        lock(&self.shared).always.insert(verb, act);
    }

    /// At every RCPT TO of this recipient, until [`Self::heal`].
    pub fn always_to(&self, recipient: &str, act: Act) {
        self.always_for(Verb::Rcpt, recipient, act);
    }

    /// At every RCPT, DATA or end of the message of a mail to this recipient, until [`Self::heal`].
    pub fn always_for(&self, verb: Verb, recipient: &str, act: Act) {
        lock(&self.shared).always_to.insert((verb, recipient.to_owned()), act);
    }

    /// Sets the most open connections; a further one gets 421 as its greeting.
    pub fn limit_connections(&self, most: usize) {
        lock(&self.shared).most_connections = Some(most);
    }

    /// Sets the most messages per connection; a further MAIL gets 450.
    pub fn limit_messages(&self, most: usize) {
        lock(&self.shared).most_messages = Some(most);
    }

    /// The most connections that were open at a time.
    #[must_use]
    pub fn most_open(&self) -> usize {
        lock(&self.shared).most_open
    }

    /// The names that clients gave with EHLO, in order.
    #[must_use]
    pub fn hellos(&self) -> Vec<String> {
        lock(&self.shared).hellos.clone()
    }

    /// Removes all scripts and limits.
    pub fn heal(&self) {
        let mut shared = lock(&self.shared);
        shared.always_to.clear();
        (shared.most_connections, shared.most_messages) = (None, None);
        shared.script.clear();
        shared.always.clear();
    }

    /// Ends present and future stalls.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Stalls anew after [`Self::release`].
    pub fn hold(&self) {
        self.released.send_replace(false);
    }

    /// The accepted messages so far.
    #[must_use]
    pub fn journal(&self) -> Vec<ReceivedMail> {
        lock(&self.shared).journal.clone()
    }

    /// How often the verb was received.
    #[must_use]
    pub fn seen(&self, verb: Verb) -> usize {
        lock(&self.shared).seen.get(&verb).copied().unwrap_or_default()
    }

    /// Waits until the verb was received so often.
    ///
    /// # Panics
    /// When it has not within a minute.
    pub async fn wait_for(&self, verb: Verb, times: usize) {
        self.wait_until(&format!("{times} × {verb:?}"), || self.seen(verb) >= times).await;
    }

    /// Waits until so many messages were accepted.
    ///
    /// # Panics
    /// When it has not within a minute.
    pub async fn wait_for_mails(&self, count: usize) -> Vec<ReceivedMail> {
        self.wait_until(&format!("{count} mails"), || lock(&self.shared).journal.len() >= count).await;
        self.journal()
    }

    async fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            while !done() {
                changed.changed().await.expect("the sink lives");
            }
        };
        assert!(
            tokio::time::timeout(WAIT_TIMEOUT, waiting).await.is_ok(),
            "the sink waits in vain for {what}"
        );
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TlsAndLogin {
    /// Whether the line has the user and password (RFC 4616).
    fn accepts(&self, line: &str) -> bool {
        let said = line.trim_end().strip_prefix("AUTH PLAIN ").and_then(|text| STANDARD.decode(text).ok());
        said.is_some_and(|said| said == format!("\0{}\0{}", self.user, self.password).into_bytes())
    }
}

/// One client's SMTP dialogue.
#[derive(Clone)]
struct Conversation {
    shared: Arc<Mutex<Shared>>,
    changed: Arc<watch::Sender<()>>,
    released: Arc<watch::Sender<bool>>,
    secured: Option<TlsAndLogin>,
}

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

type Client = BufReader<Box<dyn Wire>>;

/// Result of a verb.
enum Then {
    Continue,
    Refused,
    HangUp,
}

impl Conversation {
    /// An error means that the client disconnected.
    async fn with(self, client: TcpStream) {
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
        if !matches!(self.answer(&mut client, Verb::Banner, "220 sink ESMTP").await?, Then::Continue) {
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
                    if let (Then::Continue, Some(secured)) = (&then, &self.secured) {
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
                        Then::Refused
                    }
                }
                "MAIL" if !known => {
                    client.write_all(b"530 5.7.0 who are you?\r\n").await?;
                    Then::Refused
                }
                "MAIL" if lock(&self.shared).most_messages.is_some_and(|most| messages >= most) => {
                    self.note(Verb::Mail);
                    client.write_all(b"450 4.7.0 too many messages in this session\r\n").await?;
                    Then::Refused
                }
                "MAIL" => self.answer(&mut client, Verb::Mail, "250 2.1.0 ok").await?,
                "RCPT" => {
                    recipient = between(&line, '<', '>');
                    self.answer_to(&mut client, Verb::Rcpt, &recipient, "250 2.1.5 ok").await?
                }
                "DATA" => match self.answer_to(&mut client, Verb::Data, &recipient, "354 go on").await? {
                    Then::Continue => {
                        let bytes = read_message(&mut client).await?;
                        messages += 1;
                        self.take(&mut client, &recipient, bytes).await?
                    }
                    then => then,
                },
                "RSET" => self.answer(&mut client, Verb::Rset, "250 2.0.0 ok").await?,
                "QUIT" => {
                    self.answer(&mut client, Verb::Quit, "221 2.0.0 bye").await?;
                    Then::HangUp
                }
                _ => {
                    client.write_all(b"500 5.5.1 what?\r\n").await?;
                    Then::Continue
                }
            };
            if matches!(then, Then::HangUp) {
                return Ok(());
            }
        }
    }

    /// Counts the verb and executes its script, or else replies normally.
    async fn answer(&self, client: &mut Client, verb: Verb, usual: &str) -> std::io::Result<Then> {
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
    ) -> std::io::Result<Then> {
        let act = self.act_for(verb, recipient);
        let act = act.or_else(|| self.next_act(verb));
        self.note(verb);
        self.perform(client, act, usual).await
    }

    /// A message that is not refused is in the journal before the reply.
    async fn take(&self, client: &mut Client, recipient: &str, bytes: Vec<u8>) -> std::io::Result<Then> {
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

    async fn perform(&self, client: &mut Client, act: Option<Act>, usual: &str) -> std::io::Result<Then> {
        let reply = match act {
            None => usual,
            Some(Act::Reply(reply)) => reply,
            Some(Act::Raw(bytes)) => {
                client.write_all(bytes).await?;
                return Ok(if bytes.starts_with(b"2") { Then::Continue } else { Then::Refused });
            }
            Some(Act::Cut) => return Ok(Then::HangUp),
            Some(Act::Stall) => {
                let mut released = self.released.subscribe();
                tokio::select! {
                    _ = released.wait_for(|released| *released) => usual,
                    // The client gave up: it closes, or sends commands that a stalled server does not read.
                    _ = client.fill_buf() => return Ok(Then::HangUp),
                }
            }
        };
        client.write_all(format!("{reply}\r\n").as_bytes()).await?;
        Ok(match reply.as_bytes().first() {
            Some(b'2' | b'3') => Then::Continue,
            _ if reply.starts_with("421") => Then::HangUp,
            _ => Then::Refused,
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
