//! Finds the bookings of jobs that send mails.

use std::collections::HashMap;

use punctual_queue::ops::JobSummary;
use punctual_queue::{JobId, Payload as _};
use uuid::Uuid;

use crate::notifications::SendNotification;
use crate::{Core, Result};

/// The booking of each of these jobs that sends a mail about one.
///
/// # Errors
/// Those of the database.
pub async fn bookings_of(core: &Core, jobs: &[JobSummary]) -> Result<HashMap<JobId, Uuid>> {
    // The unique key of such a job is the id of its ledger row.
    let mail = |job: &JobSummary| {
        let key = job.unique_key.as_ref().filter(|_| job.kind == SendNotification::KIND)?;
        Uuid::try_parse(key).ok()
    };
    let mails: Vec<Uuid> = jobs.iter().filter_map(mail).collect();
    let rows = sqlx::query!(
        r#"SELECT id, booking_id AS "booking_id!" FROM notifications WHERE id = ANY($1) AND booking_id IS NOT NULL"#,
        &mails,
    )
    .fetch_all(&core.pool)
    .await?;
    let bookings: HashMap<Uuid, Uuid> = rows.into_iter().map(|row| (row.id, row.booking_id)).collect();
    Ok(jobs.iter().filter_map(|job| Some((job.id, *bookings.get(&mail(job)?)?))).collect())
}
