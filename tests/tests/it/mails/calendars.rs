//! The calendar entries as somebody else's parser reads them, from the booking to its end.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Move};
use punctual_core::types::ExpectedRev;

use super::python;
use super::test_worker::{TestWorker, calendar};
use crate::core::salon::tuesday;

/// Reads an entry strictly and says what a calendar goes by.
const READ: &str = "
import sys, icalendar
calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
assert not calendar.errors, calendar.errors
events = [part for part in calendar.walk() if part.name == 'VEVENT']
assert len(events) == 1 and len(calendar.subcomponents) == 1
event = events[0]
assert not event.errors, event.errors
assert event['DTSTAMP'].dt.tzinfo and event['ORGANIZER'].params['CN']
attendee = event['ATTENDEE']
print(calendar['METHOD'], calendar['VERSION'], event['SEQUENCE'], event['STATUS'], event['UID'],
      event['DTSTART'].dt.isoformat(), event['DTEND'].dt.isoformat(), event['ORGANIZER'], event['LOCATION'],
      attendee.params['RSVP'], attendee.params['PARTSTAT'], event['SUMMARY'], sep='|')
";

#[tokio::test(flavor = "multi_thread")]
async fn another_parser_reads_the_same_event_through_its_life() {
    let setup = TestWorker::open().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.sink.wait_for_mails(1).await;
    setup.pass(TimeDelta::seconds(1));
    let to = Move::to(tuesday("15:30"), None);
    bookings::reschedule(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    setup.sink.wait_for_mails(2).await;
    setup.pass(TimeDelta::seconds(1));
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
    let taken = setup.sink.wait_for_mails(3).await;
    let (ten, later) = (
        "2027-05-04T08:00:00+00:00|2027-05-04T09:00:00+00:00",
        "2027-05-04T13:30:00+00:00|2027-05-04T14:30:00+00:00",
    );
    for (mail, method, sequence, status, times) in [
        (&taken[0], "REQUEST", 1, "CONFIRMED", ten),
        (&taken[1], "REQUEST", 2, "CONFIRMED", later),
        (&taken[2], "CANCEL", 3, "CANCELLED", later),
    ] {
        let entry = calendar(mail).unwrap();
        assert!(entry.lines().all(|line| line.len() <= 75), "lines are folded: {entry}");
        let Some(read) = python::ask("icalendar", READ, "", entry.as_bytes()) else { return };
        let expected = format!(
            "{method}|2.0|{sequence}|{status}|{}|{times}|mailto:no-reply@example.org|Am Markt 1, Berlin|FALSE|ACCEPTED|Haircut – Salon Zeit",
            booking.id
        );
        assert_eq!(read, expected);
    }
    setup.close().await;
}
