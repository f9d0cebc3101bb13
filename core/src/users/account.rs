//! An account as its owner sees it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::types::{EmailAddress, Locale, ParseError, PersonName, Phone, Role, Zone};
use crate::{Error, Result};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The account's id.
    pub id: Uuid,
    /// Its address and login name.
    pub email: EmailAddress,
    /// When a link sent to the address was opened; none: not verified.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Name as the person writes it.
    pub name: PersonName,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Role of the account.
    pub role: Role,
    /// Language of this person's mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
    /// Part of access tokens; tokens with an older epoch are refused.
    pub token_epoch: i32,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
}

/// Changes by the owner of an account. `None` keeps a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a JSON merge patch")]
pub struct UserPatch {
    /// New name.
    pub name: Option<PersonName>,
    /// New phone number.
    pub phone: Option<Option<Phone>>,
    /// New language.
    pub locale: Option<Option<Locale>>,
    /// New zone.
    pub zone: Option<Option<Zone>>,
}

/// A row of the table.
pub(super) struct Row {
    pub id: Uuid,
    pub email: String,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub name: String,
    pub phone: Option<String>,
    pub role: Role,
    pub locale: Option<String>,
    pub zone: Option<String>,
    pub token_epoch: i32,
    pub created_at: DateTime<Utc>,
}

impl TryFrom<Row> for User {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let stored = |error: ParseError| Error::internal("users hold a bad value", error);
        Ok(Self {
            id: row.id,
            email: EmailAddress::parse(&row.email).map_err(stored)?,
            email_verified_at: row.email_verified_at,
            name: PersonName::stored(row.name),
            phone: row.phone.map(|text| Phone::parse(&text)).transpose().map_err(stored)?,
            role: row.role,
            locale: row.locale.map(|text| Locale::parse(&text)).transpose().map_err(stored)?,
            zone: row.zone.map(|text| Zone::parse(&text)).transpose().map_err(stored)?,
            token_epoch: row.token_epoch,
            created_at: row.created_at,
        })
    }
}

/// The account; [`Error::SessionEnded`] when it no longer exists, because only its owner reads it.
pub async fn get(db: impl PgExecutor<'_>, id: Uuid) -> Result<User> {
    sqlx::query_as!(
        Row,
        r#"SELECT id, email::text AS "email!", email_verified_at, name, phone, role AS "role: Role", locale, zone,
                  token_epoch, created_at
           FROM users WHERE id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::SessionEnded)?
    .try_into()
}

/// Changes an account for its owner. The account's own customer row is updated too, so that future mails use the new
/// data; bookings for other people do not change.
pub async fn update(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    id: Uuid,
    patch: &UserPatch,
) -> Result<User> {
    sqlx::query_as!(
        Row,
        r#"WITH changed AS (
               UPDATE users
               SET name = coalesce($2, name),
                   phone = CASE WHEN $3 THEN $4 ELSE phone END,
                   locale = CASE WHEN $5 THEN $6 ELSE locale END,
                   zone = CASE WHEN $7 THEN $8 ELSE zone END,
                   updated_at = $9
               WHERE id = $1
               RETURNING id, email, email_verified_at, name, phone, role, locale, zone, token_epoch, created_at
           ), followed AS (
               UPDATE customers
               SET name = changed.name, phone = changed.phone, locale = changed.locale, zone = changed.zone,
                   updated_at = $9
               FROM changed
               WHERE customers.user_id = changed.id AND customers.origin = 'account' AND customers.erased_at IS NULL
           )
           SELECT id AS "id!", email::text AS "email!", email_verified_at, name AS "name!", phone,
                  role AS "role!: Role", locale, zone, token_epoch AS "token_epoch!", created_at AS "created_at!"
           FROM changed"#,
        id,
        patch.name.as_ref().map(PersonName::as_str),
        patch.phone.is_some(),
        patch.phone.as_ref().and_then(Option::as_ref).map(Phone::as_str),
        patch.locale.is_some(),
        patch.locale.flatten().map(Locale::as_str),
        patch.zone.is_some(),
        patch.zone.flatten().map(Zone::name),
        now,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::SessionEnded)?
    .try_into()
}
