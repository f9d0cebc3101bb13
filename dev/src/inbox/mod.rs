//! A mail catcher: accepts every mail over SMTP, delivers none, shows all.
//!
//! The SMTP server is mailcrab's library. `GET /` is a page, `GET /api/messages` and `GET /api/messages/{id}` are for
//! programs. Mails are kept in memory; the oldest are dropped beyond the capacity.

mod http;
mod message;
mod page;
mod store;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mailcrab::mail_server;
use poem::Server;
use poem::listener::TcpAcceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use message::{Attachment, Message, Summary};
pub use store::Store;

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Mails that may arrive before our receiver stores the first of them; mailcrab drops those beyond.
const BACKLOG: usize = 8192;
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running inbox, in this process.
#[derive(Debug)]
pub struct Inbox {
    store: Arc<Store>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    smtp_port: u16,
    http_port: u16,
}

impl Inbox {
    /// Starts it on two ports of 127.0.0.1.
    ///
    /// # Errors
    /// When a port is taken.
    pub async fn start(smtp_port: u16, http_port: u16) -> Result<Self> {
        let store = Arc::new(Store::default());
        let stop = CancellationToken::new();
        let listener = TcpListener::bind((HOST, http_port))
            .await
            .with_context(|| format!("the inbox cannot listen on port {http_port}"))?;
        let (sender, receiver) = broadcast::channel(BACKLOG);
        let storing = tokio::spawn(keep(receiver, Arc::clone(&store)));
        let mut smtp = tokio::spawn({
            let stop = stop.clone();
            async move {
                let _ = mail_server(IpAddr::V4(HOST), smtp_port, sender, false, stop).await;
            }
        });
        wait_for_smtp(&mut smtp, smtp_port).await?;
        let acceptor = TcpAcceptor::from_tokio(listener)?;
        let pages = http::routes(Arc::clone(&store));
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move {
                let server = Server::new_with_acceptor(acceptor);
                let _ = server
                    .run_with_graceful_shutdown(pages, stop.cancelled_owned(), Some(Duration::ZERO))
                    .await;
            }
        });
        Ok(Self { store, stop, tasks: vec![smtp, storing, serving], smtp_port, http_port })
    }

    /// The mails taken so far.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Where mails are to be sent.
    #[must_use]
    pub fn smtp_url(&self) -> String {
        format!("smtp://{HOST}:{}", self.smtp_port)
    }

    /// The HTML page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.http_port)
    }

    /// Stops taking mails and serving pages.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// mailcrab binds the port itself and does not report failures: it is up when it answers, down when its task ends.
async fn wait_for_smtp(server: &mut JoinHandle<()>, port: u16) -> Result<()> {
    timeout(START_TIMEOUT, async {
        loop {
            anyhow::ensure!(!server.is_finished(), "the mail catcher cannot listen on port {port}");
            if TcpStream::connect((HOST, port)).await.is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .context("the mail catcher does not start")?
}

async fn keep(mut mails: Receiver<mailcrab::MailMessage>, store: Arc<Store>) {
    loop {
        match mails.recv().await {
            Ok(mail) => store.add(&mail),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
