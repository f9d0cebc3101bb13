//! Accounts of members of staff: assigning and removing the role.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::register::{NewUser, insert};
use crate::notifications::{NotificationKind, account};
use crate::sessions::revoke_all;
use crate::types::{EmailAddress, PersonName, Role, StaffRole};
use crate::{Error, Result};

/// Returns the id of the account for a member of staff: the one with this address, or a new one. It gets the role of
/// staff, or the one wanted, and a link that sets its password is mailed. Administrators keep their role.
///
/// Somebody else may have registered the address before. So an unverified customer account loses its password and
/// sessions; the mailbox's owner sets a new password.
pub(crate) async fn employ(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    user_id: Option<Uuid>,
    email: &EmailAddress,
    name: &PersonName,
    wanted: Option<StaffRole>,
) -> Result<Uuid> {
    let found = sqlx::query!(
        r#"SELECT id, role AS "role: Role" FROM users
           WHERE CASE WHEN $1::uuid IS NULL THEN email = $2::text::citext ELSE id = $1 END FOR NO KEY UPDATE"#,
        user_id,
        email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let id = if let Some(account) = found {
        match (account.role, wanted) {
            (Role::Customer, _) => promote(tx, now, account.id, wanted.unwrap_or(StaffRole::Staff)).await?,
            (Role::Staff | Role::FrontDesk, Some(wanted)) => set_role(tx, now, account.id, wanted).await?,
            (Role::Staff | Role::FrontDesk, None) | (Role::Admin, _) => {}
        }
        account.id
    } else {
        let (email, name) = (email.clone(), name.clone());
        let new = NewUser { email, name, phone: None, locale: None, zone: None };
        insert(&mut *tx, now, &new, None, wanted.unwrap_or(StaffRole::Staff).into()).await?.id
    };
    account::plan(tx, now, id, NotificationKind::SetPassword).await?;
    Ok(id)
}

async fn promote(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid, role: StaffRole) -> Result<()> {
    let proven = sqlx::query_scalar!(
        r#"UPDATE users
           SET role = $3, token_epoch = token_epoch + 1, updated_at = $2,
               password_hash = CASE WHEN email_verified_at IS NULL THEN NULL ELSE password_hash END
           WHERE id = $1
           RETURNING email_verified_at IS NOT NULL AS "proven!""#,
        id,
        now,
        Role::from(role) as Role,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Error::internal("promoting an account", "it is gone in spite of its lock"))?;
    if proven { Ok(()) } else { revoke_all(tx, now, id).await }
}

/// Gives the account of a member of staff this role. Sessions stay, because each request reads the role; administrators
/// keep theirs.
pub(crate) async fn set_role(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    id: Uuid,
    role: StaffRole,
) -> Result<()> {
    sqlx::query!(
        "UPDATE users SET role = $2, updated_at = $3 WHERE id = $1 AND role IN ('staff', 'front_desk') AND role <> $2",
        id,
        Role::from(role) as Role,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives the account of a reactivated member of staff the role of staff again; administrators keep their role.
pub(crate) async fn reinstate(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid) -> Result<()> {
    let role =
        sqlx::query_scalar!(r#"SELECT role AS "role: Role" FROM users WHERE id = $1 FOR NO KEY UPDATE"#, id)
            .fetch_optional(&mut *tx)
            .await?;
    if role == Some(Role::Customer) { promote(tx, now, id, StaffRole::Staff).await } else { Ok(()) }
}

/// Gives an account without an active member of staff the role of a customer and ends its sessions; administrators keep
/// both.
pub(crate) async fn dismiss(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid) -> Result<()> {
    let dismissed = sqlx::query!(
        "UPDATE users SET role = 'customer', token_epoch = token_epoch + 1, updated_at = $2
         WHERE id = $1 AND role IN ('staff', 'front_desk')",
        id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if dismissed.rows_affected() > 0 { revoke_all(tx, now, id).await } else { Ok(()) }
}
