//! The mails of bookings that were made or changed together: each has its own reminders, and each mailbox gets one mail
//! about all of its bookings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::mails::{Draft, NewBookingMails, former_staff, kinds_of, same};
use super::row::Row;
use crate::Result;
use crate::notifications::NotificationKind;
use crate::notifications::plan::{self, Addressee, ImmediateMail};
use crate::notifications::several::{self, AboutSeveral};

/// The content of one mail to one mailbox.
struct GroupedMail<'a> {
    kind: NotificationKind,
    to: Addressee,
    rows: Vec<&'a Row>,
}

/// [`super::mails::plan`] for bookings that were changed by one request, in the order of their starts. A mailbox gets one mail
/// about all of them instead of several equal ones, except that staff get one `staff_pending` mail per booking, with its link.
pub(super) async fn plan_together(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    bookings: &[NewBookingMails<'_>],
) -> Result<()> {
    let mut drafts = Vec::with_capacity(bookings.len());
    let mut former: HashMap<Uuid, Option<Addressee>> = HashMap::new();
    for NewBookingMails { row, change, rules, .. } in bookings {
        let mut draft = Draft::of(now, row, change, rules);
        let from = change.details.from.filter(|from| from.staff_id != row.booking.staff.id);
        if let Some(from) = from
            && let (_, Some(kind)) = kinds_of(change.kind, row.booking.status)
        {
            let to = match former.entry(from.staff_id) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(unknown) => unknown.insert(former_staff(tx, from.staff_id).await?).clone(),
            };
            let is_new =
                |to: &Addressee| !draft.at_once.iter().any(|mail| same(&mail.to, to) && mail.kind == kind);
            if let Some(to) = to.filter(is_new) {
                draft.at_once.push(ImmediateMail { kind: NotificationKind::StaffMoved, to });
            }
        }
        drafts.push(draft);
    }
    let mut groups: Vec<GroupedMail<'_>> = Vec::new();
    for (booking, draft) in bookings.iter().zip(&drafts) {
        for mail in &draft.at_once {
            if let Some(kind) = mail.kind.of_several() {
                add(&mut groups, kind, &mail.to, booking.row);
            }
        }
    }
    groups.retain(|group| group.rows.len() > 1);
    for (booking, draft) in bookings.iter().zip(&mut drafts) {
        draft.at_once.retain(|mail| {
            let is_told = |group: &GroupedMail<'_>| {
                mail.kind.of_several() == Some(group.kind)
                    && same(&mail.to, &group.to)
                    && group.rows.iter().any(|row| row.booking.id == booking.row.booking.id)
            };
            !groups.iter().any(is_told)
        });
    }
    let changes: Vec<_> = bookings
        .iter()
        .zip(&drafts)
        .map(|(booking, draft)| draft.change(booking.row, Some(booking.span)))
        .collect();
    plan::on_changes(tx, now, &changes).await?;
    let mails: Vec<AboutSeveral> = groups.iter().filter_map(GroupedMail::mail).collect();
    several::plan(tx, now, &mails).await
}

/// Adds a booking to a mailbox's mail. A mailbox shared by several members of staff belongs to none of them.
fn add<'a>(groups: &mut Vec<GroupedMail<'a>>, kind: NotificationKind, to: &Addressee, row: &'a Row) {
    match groups.iter_mut().find(|group| group.kind == kind && same(&group.to, to)) {
        Some(group) => {
            if group.to.staff_id != to.staff_id {
                group.to.staff_id = None;
            }
            group.rows.push(row);
        }
        None => groups.push(GroupedMail { kind, to: to.clone(), rows: vec![row] }),
    }
}

impl GroupedMail<'_> {
    /// None if there is no booking.
    fn mail(&self) -> Option<AboutSeveral> {
        let first = &self.rows.first()?.booking;
        Some(AboutSeveral {
            kind: self.kind,
            to: self.to.clone(),
            first: (first.id, first.rev),
            booking_ids: self.rows.iter().map(|row| row.booking.id).collect(),
            last_start: self.rows.iter().map(|row| row.booking.start.to_utc()).max()?,
        })
    }
}
