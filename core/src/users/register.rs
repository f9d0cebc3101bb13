//! Creation of accounts.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgExecutor;

use super::MAILS;
use super::account::{Row, User};
use crate::notifications::{NotificationKind, account};
use crate::transaction::change_waking;
use crate::types::{EmailAddress, Locale, PersonName, Phone, Role, Zone};
use crate::{Core, Result};

/// Input for a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Address and login name.
    pub email: EmailAddress,
    /// Name as the person writes it.
    pub name: PersonName,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
}

/// Creates a customer's account and mails a link that verifies its address. `password_hash` is argon2id in PHC format.
/// [`crate::Error::EmailTaken`] when another account has the address.
pub async fn register(core: &Core, user: NewUser, password_hash: String) -> Result<User> {
    change_waking(core, MAILS, (user, password_hash), |(user, hash), tx, now| {
        Box::pin(async move {
            let user = insert(&mut *tx, now, user, Some(hash), Role::Customer).await?;
            account::plan(tx, now, user.id, NotificationKind::VerifyEmail).await?;
            Ok(user)
        })
    })
    .await
}

/// Creates an administrator's account. Without `password_hash` the account cannot log in until a password is set by
/// link. [`crate::Error::EmailTaken`] when another account has the address.
pub async fn create_admin(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    user: &NewUser,
    password_hash: Option<&str>,
) -> Result<User> {
    insert(db, now, user, password_hash, Role::Admin).await
}

/// Creates an administrator's account without a password and mails a link that sets one. [`crate::Error::EmailTaken`]
/// when another account has the address.
pub async fn invite_admin(core: &Core, user: NewUser) -> Result<User> {
    change_waking(core, MAILS, user, |user, tx, now| {
        Box::pin(async move {
            let user = insert(&mut *tx, now, user, None, Role::Admin).await?;
            account::plan(tx, now, user.id, NotificationKind::SetPassword).await?;
            Ok(user)
        })
    })
    .await
}

pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    user: &NewUser,
    password_hash: Option<&str>,
    role: Role,
) -> Result<User> {
    sqlx::query_as!(
        Row,
        r#"INSERT INTO users (id, email, password_hash, name, phone, role, locale, zone, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
           RETURNING id, email::text AS "email!", email_verified_at, name, phone, role AS "role: Role", locale, zone,
                     token_epoch, created_at"#,
        new_id(now),
        user.email.as_str() as _,
        password_hash,
        user.name.as_str(),
        user.phone.as_ref().map(Phone::as_str),
        role as Role,
        user.locale.map(Locale::as_str),
        user.zone.map(Zone::name),
        now,
    )
    .fetch_one(db)
    .await?
    .try_into()
}
