//! The mails taken so far.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use mailcrab::MailMessage;
use tokio::sync::watch;

use super::message::{Message, Summary};

/// Enough for a day's work, small enough for memory.
const CAPACITY: usize = 2000;

/// Mails in memory, in the order they came.
#[derive(Debug)]
pub struct Store {
    messages: RwLock<VecDeque<Arc<Message>>>,
    count: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self { messages: RwLock::default(), count: watch::Sender::new(0) }
    }
}

impl Store {
    pub(super) fn add(&self, mail: &MailMessage) {
        let envelope = (mail.envelope_from.clone(), mail.envelope_recipients.clone());
        let raw = mail.raw_bytes().unwrap_or_default();
        let message = Message::parse(mail.id.to_string(), now(), envelope, &raw);
        let mut messages = self.messages.write().unwrap_or_else(PoisonError::into_inner);
        messages.push_back(Arc::new(message));
        if messages.len() > CAPACITY {
            messages.pop_front();
        }
        drop(messages);
        self.count.send_modify(|count| *count += 1);
    }

    /// Summaries, the newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Summary> {
        let messages = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        messages.iter().rev().map(|message| message.summary.clone()).collect()
    }

    /// All mails, the oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Message>> {
        self.messages.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// One mail.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Message>> {
        let messages = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        messages.iter().find(|message| message.summary.id == id).cloned()
    }

    /// Changes with every mail, so that callers can wait for the next.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a mail catcher notes when a mail came; nothing is decided by it"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
