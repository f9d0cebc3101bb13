//! Duration and price of a service with single members of staff.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::read::{Service, StaffTerms, find};
use super::write::lock_concerned;
use crate::hours::bump_business;
use crate::transaction::change;
use crate::types::{ExpectedRev, ParseError};
use crate::{Core, Error, Result};

/// Replaces the terms of all members of staff who perform the service; a new revision of it. Bookings that were made or held keep
/// what they were promised.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`]; [`Error::Invalid`] for a member of staff who does not perform it or is named twice, and
/// for values out of bounds.
pub async fn put_staff_terms(
    core: &Core,
    service_id: Uuid,
    expected: ExpectedRev,
    terms: Vec<StaffTerms>,
) -> Result<Service> {
    change(core, (service_id, expected, terms), |(service_id, expected, terms), tx, now| {
        Box::pin(async move {
            bump_business(tx).await?;
            let service = find(tx, *service_id).await?;
            if !expected.matches(service.rev) {
                return Err(Error::RevMismatch { current: service.rev });
            }
            check(&service, terms)?;
            lock_concerned(tx, &service.spec.staff_ids, &[]).await?;
            let ids: Vec<Uuid> = terms.iter().map(|terms| terms.staff_id).collect();
            let durations: Vec<Option<i32>> =
                terms.iter().map(|terms| terms.duration_min.map(u32::cast_signed)).collect();
            let prices: Vec<Option<i64>> = terms.iter().map(|terms| terms.price_minor).collect();
            sqlx::query!(
                "UPDATE service_staff AS s SET duration_min = own.duration_min, price_minor = own.price_minor
                 FROM (SELECT p.staff_id, i.duration_min, i.price_minor FROM service_staff AS p
                       LEFT JOIN unnest($2::uuid[], $3::integer[], $4::bigint[]) AS i (id, duration_min, price_minor)
                            ON i.id = p.staff_id
                       WHERE p.service_id = $1) AS own
                 WHERE s.service_id = $1 AND s.staff_id = own.staff_id",
                service_id,
                &ids,
                &durations as &[Option<i32>],
                &prices as &[Option<i64>],
            )
            .execute(&mut *tx)
            .await?;
            let changed = sqlx::query!(
                "UPDATE services SET rev = rev + 1, updated_at = $2 WHERE id = $1 AND rev = $3",
                service_id,
                now,
                service.rev.0,
            )
            .execute(&mut *tx)
            .await?;
            if changed.rows_affected() != 1 {
                return Err(Error::internal("terms of staff", "the service changed under its lock"));
            }
            find(tx, *service_id).await
        })
    })
    .await
}

fn check(service: &Service, terms: &[StaffTerms]) -> Result<()> {
    let invalid =
        |code, message| Err(Error::Invalid { pointer: "/terms", error: ParseError::new(code, message) });
    let ids: BTreeSet<Uuid> = terms.iter().map(|terms| terms.staff_id).collect();
    if ids.len() < terms.len() {
        return invalid("duplicate", "the same member of staff twice");
    }
    if !ids.iter().all(|id| service.spec.staff_ids.contains(id)) {
        return invalid("not_performed", "only those who perform the service have terms of their own");
    }
    let fits = |terms: &StaffTerms| {
        terms.duration_min.is_none_or(|minutes| (5..=1440).contains(&minutes))
            && terms.price_minor.is_none_or(|price| (0..=1_000_000_000).contains(&price))
    };
    if !terms.iter().all(fits) {
        return invalid("out_of_range", "a duration is 5 to 1440 minutes, a price 0 to 1,000,000,000");
    }
    Ok(())
}
