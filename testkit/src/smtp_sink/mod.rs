//! A scripted mail server for fault tests. An accepted message is in its journal before the 250 is sent, so journal and
//! ledger can be compared after any cut or kill.

mod conversation;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::WAIT_TIMEOUT;
use crate::certificate::Certificate;
use conversation::Conversation;

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
