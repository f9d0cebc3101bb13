//! What can be done with a booking: the one table of its states, who may lead from one to the next, and when.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::BookingStatus;
use crate::types::Actor;

/// What can be done with a booking that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A hold becomes a booking.
    Book,
    /// A hold runs out, or a pending booking's start comes.
    Expire,
    /// Staff accept a pending booking.
    Confirm,
    /// Staff refuse a pending booking.
    Decline,
    /// It is called off.
    Cancel,
    /// It is moved to another start or another member of staff.
    Reschedule,
    /// It took place.
    Complete,
    /// The customer did not come.
    NoShow,
}

impl Action {
    /// The action in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Expire => "expire",
            Self::Confirm => "confirm",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
            Self::Reschedule => "reschedule",
            Self::Complete => "complete",
            Self::NoShow => "no_show",
        }
    }
}

/// Who may lead a booking from one status to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Punctual itself.
    System,
    /// Staff.
    Staff,
    /// Staff and whoever the booking belongs to.
    Anyone,
}

/// When a booking may be led on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    BeforeStart,
    FromStart,
    /// Until seven days after its end.
    WhileFresh,
}

struct Step {
    from: BookingStatus,
    action: Action,
    /// Where it may lead; the use case chooses where there are two.
    to: &'static [BookingStatus],
    by: By,
    when: When,
}

const fn step(from: BookingStatus, action: Action, to: &'static [BookingStatus], by: By, when: When) -> Step {
    Step { from, action, to, by, when }
}

/// The table. What is not in it is not possible.
const STEPS: &[Step] = {
    use Action as A;
    use BookingStatus::{Cancelled, Completed, Confirmed, Declined, Expired, Held, NoShow, Pending};
    &[
        step(Held, A::Book, &[Pending, Confirmed], By::Anyone, When::Always),
        step(Held, A::Expire, &[Expired], By::System, When::Always),
        step(Pending, A::Confirm, &[Confirmed], By::Staff, When::BeforeStart),
        step(Pending, A::Decline, &[Declined], By::Staff, When::BeforeStart),
        step(Pending, A::Cancel, &[Cancelled], By::Anyone, When::Always),
        step(Pending, A::Reschedule, &[Pending], By::Anyone, When::BeforeStart),
        step(Pending, A::Expire, &[Expired], By::System, When::FromStart),
        step(Confirmed, A::Cancel, &[Cancelled], By::Anyone, When::Always),
        step(Confirmed, A::Reschedule, &[Confirmed, Pending], By::Anyone, When::BeforeStart),
        step(Confirmed, A::Complete, &[Completed], By::Staff, When::FromStart),
        step(Confirmed, A::NoShow, &[NoShow], By::Staff, When::FromStart),
        step(Completed, A::NoShow, &[NoShow], By::Staff, When::WhileFresh),
        step(NoShow, A::Complete, &[Completed], By::Staff, When::WhileFresh),
    ]
};

const FRESH: TimeDelta = TimeDelta::days(7);

/// A booking as the table looks at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) status: BookingStatus,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Standing {
    /// Where the action leads; none: it is not possible now.
    pub(super) fn after(&self, action: Action, now: DateTime<Utc>) -> Option<&'static [BookingStatus]> {
        self.steps(now).find(|step| step.action == action).map(|step| step.to)
    }

    /// What this actor can do with the booking now.
    pub(super) fn allowed(&self, actor: &Actor, now: DateTime<Utc>) -> Vec<Action> {
        self.steps(now)
            .filter(|step| match step.by {
                By::System => matches!(actor, Actor::System),
                By::Staff => actor.is_staff(),
                By::Anyone => true,
            })
            .map(|step| step.action)
            .collect()
    }

    fn steps(&self, now: DateTime<Utc>) -> impl Iterator<Item = &'static Step> {
        let Self { status, start, end } = *self;
        STEPS.iter().filter(move |step| step.from == status).filter(move |step| match step.when {
            When::Always => true,
            When::BeforeStart => now < start,
            When::FromStart => now >= start,
            When::WhileFresh => now <= end + FRESH,
        })
    }
}

impl Action {
    /// Whether only staff may do this, whatever the booking's status.
    pub(super) fn is_for_staff(self) -> bool {
        STEPS.iter().filter(|step| step.action == self).all(|step| step.by == By::Staff)
    }
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
    fn standing(status: BookingStatus) -> Standing {
        Standing { status, start: at(0), end: at(60) }
    }

    #[test]
    fn what_staff_and_customers_can_do_before_and_after_the_start() {
        use Action::{Book, Cancel, Complete, Confirm, Decline, NoShow, Reschedule};
        let table = [
            (BookingStatus::Held, vec![Book], vec![Book], vec![Book]),
            (
                BookingStatus::Pending,
                vec![Confirm, Decline, Cancel, Reschedule],
                vec![Cancel, Reschedule],
                vec![Cancel],
            ),
            (
                BookingStatus::Confirmed,
                vec![Cancel, Reschedule],
                vec![Cancel, Reschedule],
                vec![Cancel, Complete, NoShow],
            ),
            (BookingStatus::Declined, vec![], vec![], vec![]),
            (BookingStatus::Cancelled, vec![], vec![], vec![]),
            (BookingStatus::Expired, vec![], vec![], vec![]),
            (BookingStatus::Completed, vec![NoShow], vec![], vec![NoShow]),
            (BookingStatus::NoShow, vec![Complete], vec![], vec![Complete]),
        ];
        assert_eq!(table.len(), BookingStatus::ALL.len());
        for (status, staff_before, customer_before, staff_after) in table {
            let booking = standing(status);
            assert_eq!(booking.allowed(&STAFF, at(-1)), staff_before, "{status:?}");
            assert_eq!(booking.allowed(&CUSTOMER, at(-1)), customer_before, "{status:?}");
            assert_eq!(booking.allowed(&STAFF, at(0)), staff_after, "{status:?}");
        }
    }

    #[test]
    fn completed_and_no_show_can_be_mended_for_seven_days_after_the_end() {
        let week = 7 * 24 * 60 + 60;
        let booking = standing(BookingStatus::Completed);
        assert_eq!(booking.after(Action::NoShow, at(week)), Some(&[BookingStatus::NoShow][..]));
        assert_eq!(booking.after(Action::NoShow, at(week + 1)), None);
    }

    #[test]
    fn a_blocking_status_is_never_reached_from_one_that_does_not_block() {
        for step in STEPS.iter().filter(|step| !step.from.blocks()) {
            assert!(step.to.iter().all(|to| !to.blocks()), "{:?} by {:?}", step.from, step.action);
        }
    }

    #[test]
    fn judging_a_booking_is_for_staff() {
        let for_staff = [Action::Confirm, Action::Decline, Action::Complete, Action::NoShow];
        assert!(for_staff.iter().all(|action| action.is_for_staff()));
        assert!(!Action::Cancel.is_for_staff());
        assert!(!Action::Reschedule.is_for_staff());
    }
}
