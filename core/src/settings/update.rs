//! Changing the business.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Business, get, keep_currency, put};
use crate::hours::{Changed, Fitting, bump_business, lock_all};
use crate::transaction::change;
use crate::types::{
    AccentColour, Country, Currency, EmailAddress, ExpectedRev, Label, Locale, Phone, PostalAddress, Zone,
};
use crate::{Core, Error, Result};

/// Fields to change; `None` keeps a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "what stays differs from what is cleared")]
pub struct BusinessPatch {
    /// Name.
    pub name: Option<Label>,
    /// Postal address.
    pub address: Option<PostalAddress>,
    /// Phone number.
    pub phone: Option<Option<Phone>>,
    /// Reply-To of every mail.
    pub reply_to: Option<EmailAddress>,
    /// From address of every mail.
    pub sender: Option<EmailAddress>,
    /// Recipient of mails about new, moved and cancelled bookings.
    pub notify_address: Option<Option<EmailAddress>>,
    /// Currency of all prices.
    pub currency: Option<Currency>,
    /// Zone of opening hours and civil dates.
    pub zone: Option<Zone>,
    /// Default language of mails.
    pub locale: Option<Locale>,
    /// Whether guests may book, without an account.
    pub guests_allowed: Option<bool>,
    /// Days after a customer's last appointment until erasure.
    pub retention_days: Option<Option<u16>>,
    /// Colour of buttons and links on pages.
    pub accent_colour: Option<Option<AccentColour>>,
    /// Country in which phone numbers without a country code are read.
    pub country: Option<Option<Country>>,
}

/// Changes the business. A new zone moves all opening hours: every calendar is locked, and the bookings that no longer
/// fit are returned unchanged.
///
/// # Errors
/// [`Error::NotFound`] before the business is set up; [`Error::RevMismatch`]; [`Error::Invalid`] for another currency while
/// services have prices.
pub async fn update(core: &Core, expected: ExpectedRev, patch: BusinessPatch) -> Result<Changed<Business>> {
    change(core, (expected, patch), |(expected, patch), tx, now| Box::pin(apply(tx, now, *expected, patch)))
        .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    expected: ExpectedRev,
    patch: &BusinessPatch,
) -> Result<Changed<Business>> {
    // In both cases the row is locked before it is read, so no concurrent change is lost.
    let staff_ids = if patch.zone.is_some() {
        lock_all(tx).await?
    } else {
        bump_business(tx).await?;
        Vec::new()
    };
    let current = get(&mut *tx).await?;
    if !expected.matches(current.rev) {
        return Err(Error::RevMismatch { current: current.rev });
    }
    keep_currency(tx, current.currency, patch.currency.unwrap_or(current.currency)).await?;
    let business = patch.apply(current);
    let fitting = Fitting::before(tx, now, &staff_ids, None).await?;
    put(&mut *tx, now, &business).await?;
    let stranded = fitting.stranded(tx).await?;
    Ok(Changed { value: get(tx).await?, stranded })
}

impl BusinessPatch {
    fn apply(&self, current: Business) -> Business {
        let text = |new: Option<&str>, old: String| new.map_or(old, str::to_owned);
        Business {
            name: text(self.name.as_ref().map(Label::as_str), current.name),
            address: text(self.address.as_ref().map(PostalAddress::as_str), current.address),
            phone: self.phone.clone().unwrap_or(current.phone),
            reply_to: self.reply_to.clone().unwrap_or(current.reply_to),
            sender: self.sender.clone().unwrap_or(current.sender),
            notify_address: self.notify_address.clone().unwrap_or(current.notify_address),
            currency: self.currency.unwrap_or(current.currency),
            zone: self.zone.unwrap_or(current.zone),
            locale: self.locale.unwrap_or(current.locale),
            public_url: current.public_url,
            guests_allowed: self.guests_allowed.unwrap_or(current.guests_allowed),
            retention_days: self.retention_days.unwrap_or(current.retention_days),
            accent_colour: self.accent_colour.unwrap_or(current.accent_colour),
            country: self.country.unwrap_or(current.country),
            rev: current.rev,
        }
    }
}
