//! Mails to an account: a short text and a link.

use chrono::{DateTime, Utc};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use punctual_core::config::Keys;
use punctual_core::notifications::facts::AccountFacts;
use punctual_core::types::EmailAddress;
use punctual_core::wording::When;
use serde::Serialize;

use super::context::greeting;
use super::greeting::greeting_name;
use super::message::{BuildError, Mail, boundary, common_headers, display_name, envelope};
use super::templates::Templates;

/// The names such a mail's template can use, besides its words, the labels and the locale.
#[derive(Serialize)]
struct AccountContext<'a> {
    business: Named<'a>,
    account: AccountName<'a>,
    link: LinkContext,
    /// Always `None`: these mails cannot be unsubscribed from.
    unsubscribe_url: Option<String>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct AccountName<'a> {
    name: &'a str,
    /// Text after the word of greeting: a space and the name, or nothing.
    greeting: String,
}

#[derive(Serialize)]
struct LinkContext {
    /// Secret: never logged or stored.
    url: String,
    /// When the link expires, in the business's time zone.
    until: String,
}

/// Builds the message of a ledger row about an account. Every build of the same row has the same Message-ID and the same
/// link.
///
/// # Errors
/// [`BuildError`].
pub fn compose_account(
    templates: &Templates,
    keys: &Keys,
    facts: &AccountFacts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let AccountFacts { notification_id: id, business, zone, locale, expires_at, .. } = facts;
    let expiry = When::new(*expires_at, *expires_at, *zone, *locale);
    let context = AccountContext {
        business: Named { name: &business.name },
        account: AccountName { name: &facts.name, greeting: greeting(&facts.name, facts.recipient_proven) },
        link: LinkContext {
            url: facts.link.url(keys, &business.public_url),
            until: format!("{} ({})", expiry.short, zone.name()),
        },
        unsubscribe_url: None,
    };
    let rendered = templates.render(facts.kind, *locale, &context)?;
    let parts = MultiPart::alternative()
        .boundary(boundary(*id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let name = greeting_name(&facts.name, facts.recipient_proven).and_then(display_name);
    let to = Mailbox::new(name, recipient.as_str().parse()?);
    let message = common_headers(business, to, *id, now)?.subject(rendered.subject).multipart(parts)?;
    envelope(business, recipient, &message)
}
