//! The export of an account owner's data.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::bookings::{self, Booking, BookingEvent};
use crate::customers::ExportedCustomer;
use crate::notifications::{NotificationKind, NotificationOutcome};
use crate::pool::again_if_cut;
use crate::types::{ActorKind, BookingStatus, ChangeKind, EmailAddress, EventDetails, Rev};
use crate::users::{self, User};
use crate::{Core, Result, customers};

/// All stored data about the owner of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalData {
    /// The account.
    pub account: User,
    /// Its sessions, oldest first.
    pub sessions: Vec<ExportedSession>,
    /// Its customers.
    pub customers: Vec<ExportedCustomer>,
    /// Its bookings by start.
    pub bookings: Vec<ExportedBooking>,
    /// Mails about the account itself.
    pub mails: Vec<ExportedMail>,
}

/// One refresh token: of a login, or of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "named as in the table")]
pub struct ExportedSession {
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was exchanged for its successor.
    pub spent_at: Option<DateTime<Utc>>,
    /// When its session was ended.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A booking with its history.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedBooking {
    /// The booking as its customer sees it.
    pub booking: Booking,
    /// Its changes, oldest first, without the accounts of staff.
    pub events: Vec<BookingEvent>,
    /// Its mails in the order in which they were planned.
    pub mails: Vec<ExportedMail>,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedMail {
    /// Its id.
    pub id: Uuid,
    /// The booking it is about; none: the account.
    pub booking_id: Option<Uuid>,
    /// Its kind.
    pub kind: NotificationKind,
    /// Its recipient.
    pub recipient: Option<EmailAddress>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// Not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// When the mail server accepted it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// The mail server's last reply.
    pub reply: Option<String>,
    /// Its outcome; none: not yet sent.
    pub outcome: Option<NotificationOutcome>,
}

/// All stored data about the owner of this account, without the notes of staff.
///
/// # Errors
/// [`crate::Error::SessionEnded`] when the account is gone.
pub async fn export(core: &Core, user_id: Uuid) -> Result<PersonalData> {
    again_if_cut(|| async {
        let db = &mut *core.pool.acquire().await?;
        let bookings = bookings::of_account(db, user_id).await?;
        let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
        let mut events = events(db, &ids).await?;
        let (about_bookings, about_account): (Vec<_>, Vec<_>) =
            mails(db, &ids, user_id).await?.into_iter().partition(|mail| mail.booking_id.is_some());
        let mut mails: HashMap<Option<Uuid>, Vec<ExportedMail>> = HashMap::new();
        for mail in about_bookings {
            mails.entry(mail.booking_id).or_default().push(mail);
        }
        let with_history = |booking: Booking| ExportedBooking {
            events: events.remove(&booking.id).unwrap_or_default(),
            mails: mails.remove(&Some(booking.id)).unwrap_or_default(),
            booking,
        };
        Ok(PersonalData {
            account: users::get(&mut *db, user_id).await?,
            sessions: sessions(db, user_id).await?,
            customers: customers::of_account(db, user_id).await?,
            bookings: bookings.into_iter().map(with_history).collect(),
            mails: about_account,
        })
    })
    .await
}

async fn events(db: &mut PgConnection, booking_ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<BookingEvent>>> {
    let rows = sqlx::query!(
        r#"SELECT booking_id, rev AS "rev: Rev", status AS "status: BookingStatus", change AS "change: ChangeKind",
                  actor AS "actor: ActorKind", overridden, details AS "details: Json<EventDetails>", at
           FROM booking_events WHERE booking_id = ANY($1) ORDER BY booking_id, rev"#,
        booking_ids,
    )
    .fetch_all(db)
    .await?;
    let mut events: HashMap<Uuid, Vec<BookingEvent>> = HashMap::new();
    for row in rows {
        events.entry(row.booking_id).or_default().push(BookingEvent {
            rev: row.rev,
            status: row.status,
            change: row.change,
            actor: row.actor,
            actor_id: None,
            overridden: row.overridden,
            details: row.details,
            at: row.at,
        });
    }
    Ok(events)
}

async fn mails(db: &mut PgConnection, booking_ids: &[Uuid], user_id: Uuid) -> Result<Vec<ExportedMail>> {
    let mails = sqlx::query_as!(
        ExportedMail,
        r#"SELECT id, booking_id, kind AS "kind: NotificationKind", recipient::text AS "recipient: EmailAddress",
                  created_at, send_at, accepted_at, reply, outcome AS "outcome: NotificationOutcome"
           FROM notifications WHERE (booking_id = ANY($1) AND NOT to_staff) OR user_id = $2
           ORDER BY created_at, send_at, id"#,
        booking_ids,
        user_id,
    )
    .fetch_all(db)
    .await?;
    Ok(mails)
}

async fn sessions(db: &mut PgConnection, user_id: Uuid) -> Result<Vec<ExportedSession>> {
    let sessions = sqlx::query_as!(
        ExportedSession,
        "SELECT created_at, expires_at, spent_at, revoked_at FROM refresh_tokens WHERE user_id = $1 ORDER BY created_at, id",
        user_id,
    )
    .fetch_all(db)
    .await?;
    Ok(sessions)
}
