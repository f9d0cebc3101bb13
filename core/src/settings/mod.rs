//! The business of this deployment.

mod replace;
mod update;

pub use replace::replace;
pub use update::{BusinessPatch, update};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};

use crate::types::{AccentColour, Country, Currency, EmailAddress, Locale, ParseError, Phone, Rev, Zone};
use crate::{Error, Result};

/// The business: identity, mail addresses, zone and language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    /// Name shown in mails and pages, 1 to 200 characters.
    pub name: String,
    /// Postal address, at most 500 characters; empty: none is shown.
    pub address: String,
    /// Phone number shown in mails.
    pub phone: Option<Phone>,
    /// Reply-To of every mail.
    pub reply_to: EmailAddress,
    /// From address of every mail.
    pub sender: EmailAddress,
    /// Recipient of mails about new, moved and cancelled bookings.
    pub notify_address: Option<EmailAddress>,
    /// Currency of all prices.
    pub currency: Currency,
    /// Zone of opening hours and civil dates.
    pub zone: Zone,
    /// Default language of mails.
    pub locale: Locale,
    /// Base of links, `http(s)://…` without a trailing slash.
    pub public_url: String,
    /// Whether guests may book, without an account.
    pub guests_allowed: bool,
    /// Customers are erased this many days (1 to 36,500) after their last appointment ended; none: no automatic erasure.
    pub retention_days: Option<u16>,
    /// Colour of buttons and links on pages; none: the default.
    #[serde(default)]
    pub accent_colour: Option<AccentColour>,
    /// Country in which phone numbers without a country code are read; none: they stay as written.
    #[serde(default)]
    pub country: Option<Country>,
    /// Version, for If-Match; ignored by [`put`].
    #[serde(default = "first_rev")]
    pub rev: Rev,
}

const fn first_rev() -> Rev {
    Rev(1)
}

/// The business; [`Error::NotFound`] before it is set up.
pub async fn get(db: impl PgExecutor<'_>) -> Result<Business> {
    let row = sqlx::query!(
        r#"SELECT name, address, phone, reply_to::text AS "reply_to!", sender::text AS "sender!",
                  notify_address::text, currency, zone, locale, public_url, guests_allowed, retention_days,
                  accent_colour, country AS "country: Country", rev AS "rev: Rev"
           FROM settings"#
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound("business"))?;
    let stored = |error: ParseError| Error::internal("settings hold a bad value", error);
    Ok(Business {
        name: row.name,
        address: row.address,
        phone: if row.phone.is_empty() { None } else { Some(Phone::parse(&row.phone).map_err(stored)?) },
        reply_to: EmailAddress::parse(&row.reply_to).map_err(stored)?,
        sender: EmailAddress::parse(&row.sender).map_err(stored)?,
        notify_address: row
            .notify_address
            .map(|text| EmailAddress::parse(&text))
            .transpose()
            .map_err(stored)?,
        currency: Currency::parse(&row.currency).map_err(stored)?,
        zone: Zone::parse(&row.zone).map_err(stored)?,
        locale: Locale::parse(&row.locale).map_err(stored)?,
        public_url: row.public_url,
        guests_allowed: row.guests_allowed,
        retention_days: row.retention_days.map(days).transpose()?,
        accent_colour: row
            .accent_colour
            .map(|text| AccentColour::parse(&text))
            .transpose()
            .map_err(stored)?,
        country: row.country,
        rev: row.rev,
    })
}

/// Days after a customer's last appointment until erasure; none: no automatic erasure.
pub async fn retention_days(db: impl PgExecutor<'_>) -> Result<Option<u16>> {
    let stored = sqlx::query_scalar!("SELECT retention_days FROM settings").fetch_optional(db).await?;
    stored.flatten().map(days).transpose()
}

/// Refuses another currency while services have prices: the amounts would be read in it.
///
/// # Errors
/// [`Error::Invalid`].
async fn keep_currency(db: &mut PgConnection, old: Currency, new: Currency) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let priced =
        sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM services WHERE price_minor > 0) AS "priced!""#);
    if !priced.fetch_one(db).await? {
        return Ok(());
    }
    let message = "services have prices in the former currency: set their prices to 0, change the currency, then set the new prices";
    Err(Error::Invalid { pointer: "/currency", error: ParseError::new("prices_exist", message) })
}

fn days(stored: i32) -> Result<u16> {
    u16::try_from(stored).map_err(|error| Error::internal("settings hold a bad value", error))
}

/// Inserts or replaces the business. Increments its revision, and its calendar revision, so cached slot lists are rebuilt.
pub async fn put(db: impl PgExecutor<'_>, now: DateTime<Utc>, business: &Business) -> Result<()> {
    sqlx::query!(
        "INSERT INTO settings (name, address, phone, reply_to, sender, notify_address, currency, zone, locale, public_url,
                               guests_allowed, retention_days, accent_colour, updated_at, country)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (singleton) DO UPDATE
         SET name = $1, address = $2, phone = $3, reply_to = $4, sender = $5, notify_address = $6, currency = $7,
             zone = $8, locale = $9, public_url = $10, guests_allowed = $11, retention_days = $12, accent_colour = $13,
             updated_at = $14, country = $15, rev = settings.rev + 1, calendar_rev = settings.calendar_rev + 1",
        business.name,
        business.address,
        business.phone.as_ref().map_or("", Phone::as_str),
        business.reply_to.as_str() as _,
        business.sender.as_str() as _,
        business.notify_address.as_ref().map(EmailAddress::as_str) as _,
        business.currency.as_str(),
        business.zone.name(),
        business.locale.as_str(),
        business.public_url,
        business.guests_allowed,
        business.retention_days.map(i32::from),
        business.accent_colour.map(|colour| colour.to_string()),
        now,
        business.country.as_ref().map(Country::code),
    )
    .execute(db)
    .await?;
    Ok(())
}
