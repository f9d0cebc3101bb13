//! Mails to an account: each is a sentence or two and a link.

use chrono::{DateTime, Utc};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use punctual_core::config::Keys;
use punctual_core::notifications::facts::AccountFacts;
use punctual_core::types::EmailAddress;
use punctual_core::wording::When;
use serde::Serialize;

use super::message::{BuildError, Mail, boundary, display_name, envelope, head};
use super::templates::Templates;

/// Everything a template of such a mail can name, beside its words, the labels and the locale.
#[derive(Serialize)]
struct AccountContext<'a> {
    business: Named<'a>,
    account: Named<'a>,
    link: LinkContext,
    /// None: these mails are not a choice of their reader.
    unsubscribe_url: Option<String>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct LinkContext {
    /// A secret of the mail's reader: never logged, never stored.
    url: String,
    /// When it ends, in the business's zone.
    until: String,
}

/// Makes the message of a ledger row about an account. The same row gives the same Message-ID and the same link,
/// whenever and however often it is made.
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
    let ends = When::new(*expires_at, *expires_at, *zone, *locale);
    let context = AccountContext {
        business: Named { name: &business.name },
        account: Named { name: &facts.name },
        link: LinkContext {
            url: facts.link.url(keys, &business.public_url),
            until: format!("{} ({})", ends.short, zone.name()),
        },
        unsubscribe_url: None,
    };
    let rendered = templates.render(facts.kind, *locale, &context)?;
    let parts = MultiPart::alternative()
        .boundary(boundary(*id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let to = Mailbox::new(display_name(&facts.name), recipient.as_str().parse()?);
    let message = head(business, to, *id, now)?.subject(rendered.subject).multipart(parts)?;
    envelope(business, recipient, &message)
}
