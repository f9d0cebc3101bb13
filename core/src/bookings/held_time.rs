//! The time that one account or guest holds at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Error, Result};

/// The time that one account or guest may hold at once, in minutes of appointments; each seat of a class counts. One hold is allowed however long its
/// appointment is.
const HELD_MIN: i64 = 240;

/// The time held by each account or guest, in minutes of appointments.
#[derive(Default)]
pub(super) struct HeldTime<'a>(HashMap<&'a str, i64>);

impl<'a> HeldTime<'a> {
    /// The name by which the holds of one account or guest are serialised.
    pub(super) fn lock_name(held_by: &str) -> String {
        format!("hold:{held_by}")
    }

    /// Reads what they hold at `now`. The caller has locked the names by an earlier statement.
    pub(super) async fn load(tx: &mut PgConnection, now: DateTime<Utc>, holders: &[&'a str]) -> Result<Self> {
        let names: Vec<String> = holders.iter().map(|holder| (*holder).to_owned()).collect();
        let rows = sqlx::query!(
            r#"SELECT held_by AS "held_by!", sum(duration_min * seats) AS "minutes!" FROM bookings
               WHERE held_by = ANY($1) AND status = 'held' AND hold_expires_at > $2 GROUP BY held_by"#,
            &names,
            now,
        )
        .fetch_all(tx)
        .await?;
        let mut minutes: HashMap<&str, i64> = holders.iter().map(|holder| (*holder, 0)).collect();
        for row in rows {
            if let Some(held) = minutes.get_mut(row.held_by.as_str()) {
                *held = row.minutes;
            }
        }
        Ok(Self(minutes))
    }

    /// Refuses a hold that would bring the time held above [`HELD_MIN`]. Holders that were not loaded have no limit.
    ///
    /// # Errors
    /// `TooManyHolds`.
    pub(super) fn require_left(&self, held_by: &str, wanted_min: i64) -> Result<()> {
        match self.0.get(held_by) {
            Some(&held) if held > 0 && held + wanted_min > HELD_MIN => Err(Error::TooManyHolds),
            _ => Ok(()),
        }
    }

    /// Counts a hold that was accepted.
    pub(super) fn add(&mut self, held_by: &str, minutes: i64) {
        if let Some(held) = self.0.get_mut(held_by) {
            *held += minutes;
        }
    }
}
