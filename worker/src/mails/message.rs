//! Builds complete messages (RFC 5322).

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use punctual_core::config::Keys;
use punctual_core::notifications::facts::{Business, Facts};
use punctual_core::types::EmailAddress;
use uuid::Uuid;

use super::InvalidKey;
use super::Templates;
use super::calendar_part::{self, Method};
use super::context::MailContext;
use super::greeting::greeting_name;
use super::links::Links;
use super::templates::one_line;

/// Why a message could not be built. Never caused by the relay.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A template failed, for instance by an undefined name.
    #[error("a template: {0}")]
    Template(#[from] minijinja::Error),
    /// The message is invalid.
    #[error("the message: {0}")]
    Message(#[from] lettre::error::Error),
    /// A stored address is invalid.
    #[error("a stored address is invalid")]
    Address(#[from] lettre::address::AddressError),
    /// DKIM signing failed.
    #[error(transparent)]
    Signature(#[from] InvalidKey),
    /// A header or MIME type is invalid.
    #[error("a header is invalid")]
    Header,
}

/// A message and its envelope.
#[derive(Clone)]
pub struct Mail {
    /// MAIL FROM.
    pub sender: Address,
    /// RCPT TO.
    pub recipient: Address,
    /// The message: 7-bit, lines end in CRLF.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({} bytes)", self.bytes.len())
    }
}

/// Builds the message of a ledger row. Every build of the same row has the same Message-ID.
///
/// # Errors
/// [`BuildError`].
pub fn compose(
    templates: &Templates,
    keys: &Keys,
    facts: &Facts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let links = Links::of(facts, keys);
    let rendered = templates.render(facts.kind, facts.locale, &MailContext::new(facts, &links, now))?;
    let id = facts.notification_id;
    let mut parts = MultiPart::alternative()
        .boundary(boundary(id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    if let Some(method) = Method::of(facts.kind) {
        let entry = calendar_part::entry(facts, recipient.as_str(), method, now);
        let kind = format!("text/calendar; method={}; charset=utf-8", method.as_str());
        let kind = ContentType::parse(&kind).map_err(|_| BuildError::Header)?;
        parts = parts.singlepart(SinglePart::builder().header(kind).body(entry));
    }
    let proven = facts.recipient_proven || facts.kind.is_for_staff();
    let name = greeting_name(&facts.recipient_name, proven).and_then(display_name);
    let to = Mailbox::new(name, recipient.as_str().parse()?);
    let builder = unsubscribe_headers(common_headers(&facts.business, to, id, now)?, links.unsubscribe)?;
    let message = builder.subject(rendered.subject).multipart(parts)?;
    envelope(&facts.business, recipient, &message)
}

/// Builds the message that `punctual-worker test-email` sends.
///
/// # Errors
/// [`BuildError`].
pub fn compose_test(
    business: &Business,
    recipient: &EmailAddress,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let to = Mailbox::new(None, recipient.as_str().parse()?);
    let text =
        format!("This is a test mail of Punctual for {}.\n\nMails can be sent.\n", one_line(&business.name));
    let message =
        common_headers(business, to, id, now)?.subject("Test mail").singlepart(SinglePart::plain(text))?;
    envelope(business, recipient, &message)
}

/// The headers that all mails have.
pub(super) fn common_headers(
    business: &Business,
    to: Mailbox,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<MessageBuilder, BuildError> {
    let name = display_name(&business.name);
    Ok(Message::builder()
        .date(SystemTime::from(now))
        .message_id(Some(message_id(id, &business.sender)))
        .from(Mailbox::new(name.clone(), business.sender.as_str().parse()?))
        .reply_to(Mailbox::new(name, business.reply_to.as_str().parse()?))
        .to(to)
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned())?))
}

/// The headers with which mail programs end reminders (RFC 8058), if there is a link for it.
pub(super) fn unsubscribe_headers(
    builder: MessageBuilder,
    url: Option<String>,
) -> Result<MessageBuilder, BuildError> {
    let Some(url) = url else { return Ok(builder) };
    Ok(builder
        .raw_header(header("List-Unsubscribe", format!("<{url}>"))?)
        .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?))
}

fn header(name: &str, value: String) -> Result<HeaderValue, BuildError> {
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| BuildError::Header)?;
    Ok(HeaderValue::new(name, value))
}

pub(super) fn envelope(
    business: &Business,
    recipient: &EmailAddress,
    message: &Message,
) -> Result<Mail, BuildError> {
    Ok(Mail {
        sender: business.sender.as_str().parse()?,
        recipient: recipient.as_str().parse()?,
        bytes: message.formatted(),
    })
}

/// The Message-ID of a ledger row, at the sender's domain.
fn message_id(id: Uuid, sender: &EmailAddress) -> String {
    format!("<{}@{}>", id.as_hyphenated(), sender.domain())
}

/// The MIME boundary, derived from the row's id: a resend differs only in its date.
pub(super) fn boundary(id: Uuid) -> String {
    format!("punctual-{}", id.as_simple())
}

pub(super) fn display_name(name: &str) -> Option<String> {
    Some(one_line(name)).filter(|name| !name.is_empty())
}
