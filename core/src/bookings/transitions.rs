//! The table of status transitions: which action leads from which status to which, who may do it and when.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Booking, BookingStatus};
use crate::types::{Actor, BookingAction};

/// Who may do a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The system itself.
    System,
    /// Staff.
    Staff,
    /// Staff and the customer of the booking.
    Anyone,
}

/// When a transition is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    BeforeStart,
    FromStart,
    /// Until seven days after the end.
    UntilSevenDaysAfterEnd,
}

struct Transition {
    from: BookingStatus,
    action: BookingAction,
    /// The status after it; where there are two, the use case chooses.
    to: &'static [BookingStatus],
    by: By,
    when: When,
}

const fn transition(
    from: BookingStatus,
    action: BookingAction,
    to: &'static [BookingStatus],
    by: By,
    when: When,
) -> Transition {
    Transition { from, action, to, by, when }
}

/// Every transition there is.
const TRANSITIONS: &[Transition] = {
    use BookingAction as A;
    use BookingStatus::{Cancelled, Completed, Confirmed, Declined, Expired, Held, NoShow, Pending};
    &[
        transition(Held, A::Book, &[Pending, Confirmed], By::Anyone, When::Always),
        transition(Held, A::Expire, &[Expired], By::System, When::Always),
        transition(Pending, A::Confirm, &[Confirmed], By::Staff, When::BeforeStart),
        transition(Pending, A::Decline, &[Declined], By::Staff, When::BeforeStart),
        transition(Pending, A::Cancel, &[Cancelled], By::Anyone, When::Always),
        transition(Pending, A::Reschedule, &[Pending], By::Anyone, When::BeforeStart),
        transition(Pending, A::Update, &[Pending], By::Staff, When::BeforeStart),
        transition(Pending, A::Expire, &[Expired], By::System, When::FromStart),
        transition(Confirmed, A::Cancel, &[Cancelled], By::Anyone, When::Always),
        transition(Confirmed, A::Reschedule, &[Confirmed, Pending], By::Anyone, When::BeforeStart),
        transition(Confirmed, A::Update, &[Confirmed], By::Staff, When::Always),
        transition(Confirmed, A::Complete, &[Completed], By::Staff, When::FromStart),
        transition(Confirmed, A::NoShow, &[NoShow], By::Staff, When::FromStart),
        transition(Completed, A::NoShow, &[NoShow], By::Staff, When::UntilSevenDaysAfterEnd),
        transition(NoShow, A::Complete, &[Completed], By::Staff, When::UntilSevenDaysAfterEnd),
    ]
};

const CORRECTION_PERIOD: TimeDelta = TimeDelta::days(7);

/// Status and times of a booking: what decides which transitions are possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatusAt {
    pub(super) status: BookingStatus,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl StatusAt {
    /// The status after the action; none: the action is not possible now.
    pub(super) fn after(
        &self,
        action: BookingAction,
        now: DateTime<Utc>,
    ) -> Option<&'static [BookingStatus]> {
        self.possible(now).find(|step| step.action == action).map(|step| step.to)
    }

    /// What this actor can do with the booking now.
    pub(super) fn allowed(&self, actor: &Actor, now: DateTime<Utc>) -> Vec<BookingAction> {
        self.possible(now)
            .filter(|step| match step.by {
                By::System => matches!(actor, Actor::System),
                By::Staff => actor.is_staff(),
                By::Anyone => true,
            })
            .map(|step| step.action)
            .collect()
    }

    fn possible(&self, now: DateTime<Utc>) -> impl Iterator<Item = &'static Transition> {
        let Self { status, start, end } = *self;
        TRANSITIONS.iter().filter(move |step| step.from == status).filter(move |step| match step.when {
            When::Always => true,
            When::BeforeStart => now < start,
            When::FromStart => now >= start,
            When::UntilSevenDaysAfterEnd => now <= end + CORRECTION_PERIOD,
        })
    }
}

/// What this actor can do with a booking now.
#[must_use]
pub fn allowed_actions(booking: &Booking, actor: &Actor, now: DateTime<Utc>) -> Vec<BookingAction> {
    let Booking { status, start, end, .. } = booking;
    StatusAt { status: *status, start: start.to_utc(), end: end.to_utc() }.allowed(actor, now)
}

/// Whether only staff may do this, whatever the booking's status.
pub(super) fn is_for_staff(action: BookingAction) -> bool {
    TRANSITIONS.iter().filter(|step| step.action == action).all(|step| step.by == By::Staff)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::types::Role;

    const STAFF: Actor = Actor::Account { user_id: Uuid::nil(), role: Role::Staff };
    const CUSTOMER: Actor = Actor::Account { user_id: Uuid::nil(), role: Role::Customer };

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    /// A booking from minute 0 to minute 60.
    fn booking(status: BookingStatus) -> StatusAt {
        StatusAt { status, start: at(0), end: at(60) }
    }

    #[test]
    fn what_staff_and_customers_can_do_before_and_after_the_start() {
        use BookingAction::{Book, Cancel, Complete, Confirm, Decline, NoShow, Reschedule, Update};
        let table = [
            (BookingStatus::Held, vec![Book], vec![Book], vec![Book]),
            (
                BookingStatus::Pending,
                vec![Confirm, Decline, Cancel, Reschedule, Update],
                vec![Cancel, Reschedule],
                vec![Cancel],
            ),
            (
                BookingStatus::Confirmed,
                vec![Cancel, Reschedule, Update],
                vec![Cancel, Reschedule],
                vec![Cancel, Update, Complete, NoShow],
            ),
            (BookingStatus::Declined, vec![], vec![], vec![]),
            (BookingStatus::Cancelled, vec![], vec![], vec![]),
            (BookingStatus::Expired, vec![], vec![], vec![]),
            (BookingStatus::Completed, vec![NoShow], vec![], vec![NoShow]),
            (BookingStatus::NoShow, vec![Complete], vec![], vec![Complete]),
        ];
        assert_eq!(table.len(), BookingStatus::ALL.len());
        for (status, staff_before, customer_before, staff_after) in table {
            let booked = booking(status);
            assert_eq!(booked.allowed(&STAFF, at(-1)), staff_before, "{status:?}");
            assert_eq!(booked.allowed(&CUSTOMER, at(-1)), customer_before, "{status:?}");
            assert_eq!(booked.allowed(&STAFF, at(0)), staff_after, "{status:?}");
        }
    }

    #[test]
    fn completed_and_no_show_can_be_corrected_for_seven_days_after_the_end() {
        let week = 7 * 24 * 60 + 60;
        let booked = booking(BookingStatus::Completed);
        assert_eq!(booked.after(BookingAction::NoShow, at(week)), Some(&[BookingStatus::NoShow][..]));
        assert_eq!(booked.after(BookingAction::NoShow, at(week + 1)), None);
    }

    #[test]
    fn a_blocking_status_is_never_reached_from_one_that_does_not_block() {
        for step in TRANSITIONS.iter().filter(|step| !step.from.blocks()) {
            assert!(step.to.iter().all(|to| !to.blocks()), "{:?} by {:?}", step.from, step.action);
        }
    }

    #[test]
    fn marking_a_booking_is_for_staff() {
        let for_staff =
            [BookingAction::Confirm, BookingAction::Decline, BookingAction::Complete, BookingAction::NoShow];
        assert!(for_staff.iter().all(|action| is_for_staff(*action)));
        assert!(!is_for_staff(BookingAction::Cancel));
        assert!(!is_for_staff(BookingAction::Reschedule));
    }
}
