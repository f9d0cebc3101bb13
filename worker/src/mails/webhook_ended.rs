//! The mail about a webhook endpoint to which nothing more is posted.

use chrono::{DateTime, Utc};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::WebhookEndedFacts;
use punctual_core::types::EmailAddress;
use punctual_core::wording::When;
use serde::Serialize;

use super::message::{BuildError, Mail, boundary, common_headers, envelope};
use super::templates::Templates;

/// The names its template can use, besides its words, the labels and the locale.
#[derive(Serialize)]
struct EndedContext<'a> {
    business: Named<'a>,
    endpoint: EndpointContext<'a>,
    /// Where administrators see it.
    ops_url: String,
    /// Always `None`: these mails cannot be unsubscribed from.
    unsubscribe_url: Option<String>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct EndpointContext<'a> {
    host: &'a str,
    description: &'a str,
    gone: bool,
    /// First failure since the last success, in the business's time zone.
    failing_since: String,
}

/// Builds the message of a ledger row of this kind.
///
/// # Errors
/// [`BuildError`].
pub fn compose_webhook_ended(
    templates: &Templates,
    facts: &WebhookEndedFacts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let WebhookEndedFacts { notification_id: id, business, locale, failing_since: since, .. } = facts;
    let context = EndedContext {
        business: Named { name: &business.name },
        endpoint: EndpointContext {
            host: &facts.host,
            description: &facts.description,
            gone: facts.gone,
            failing_since: When::new(*since, *since, facts.zone, *locale).short,
        },
        ops_url: format!("{}/ops/webhooks", business.public_url),
        unsubscribe_url: None,
    };
    let rendered = templates.render(NotificationKind::WebhookEnded, *locale, &context)?;
    let parts = MultiPart::alternative()
        .boundary(boundary(*id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let to = Mailbox::new(None, recipient.as_str().parse()?);
    let message = common_headers(business, to, *id, now)?.subject(rendered.subject).multipart(parts)?;
    envelope(business, recipient, &message)
}
