//! Sample facts for the tests.

use chrono::{DateTime, Utc};
use punctual_core::bookings::BookingStatus;
use punctual_core::config::{Config, Keys};
use punctual_core::links::{Link, Purpose};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::{
    AccountFacts, Booking, BookingLinksFacts, Business, Facts, LinkedBooking, OneOfSeveral, SeveralFacts,
    WebhookEndedFacts,
};
use punctual_core::types::{Currency, EmailAddress, Locale, Money, Rev, Zone};
use uuid::Uuid;

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Keys for deriving links.
pub fn keys() -> Keys {
    let text = "sample:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned();
    let vars = [("PUNCTUAL_LINK_KEYS".to_owned(), text)].into();
    Config::parse(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap().link_keys().unwrap().clone()
}

fn business() -> Business {
    Business {
        name: "Salon Zur Schönen Aussicht".to_owned(),
        address: "Lindenstraße 5\n10969 Berlin".to_owned(),
        phone: "+49 30 1234-567".to_owned(),
        sender: address("termine@salon.example"),
        reply_to: address("hallo@salon.example"),
        public_url: "https://termine.salon.example".to_owned(),
    }
}

/// An account mail with a link.
pub fn account_facts(kind: NotificationKind, locale: Locale) -> AccountFacts {
    let id = Uuid::from_u128(0x0196_f8f0_4444_7000_8000_0000_0000_0004);
    AccountFacts {
        notification_id: id,
        kind,
        locale,
        recipient: Some(address("zoe@example.org")),
        recipient_proven: false,
        business: business(),
        name: "Zoë Łukasz".to_owned(),
        link: Link { purpose: kind.account_link().unwrap(), id, epoch: 0 },
        expires_at: at("2027-05-04T08:00:00Z"),
        zone: Zone::parse("Europe/Berlin").unwrap(),
    }
}

/// Links of two bookings, of which the second waits for staff.
pub fn booking_links_facts(locale: Locale) -> BookingLinksFacts {
    let booking = |number, start, end, pending| LinkedBooking {
        link: Link { purpose: Purpose::Manage, id: Uuid::from_u128(number), epoch: 0 },
        start: at(start),
        end: at(end),
        zone: Zone::parse("Europe/Berlin").unwrap(),
        pending,
        service_name: "Haarschnitt & Föhnen".to_owned(),
        staff_name: "Mia Weiß".to_owned(),
    };
    BookingLinksFacts {
        notification_id: Uuid::from_u128(0x0196_f8f0_5555_7000_8000_0000_0000_0005),
        locale,
        recipient: Some(address("zoe@example.org")),
        business: business(),
        bookings: vec![
            booking(6, "2027-05-04T08:00:00Z", "2027-05-04T08:45:00Z", false),
            booking(7, "2027-06-01T08:00:00Z", "2027-06-01T08:45:00Z", true),
        ],
    }
}

/// An endpoint that failed for five days, or answered 410.
pub fn webhook_ended_facts(locale: Locale, gone: bool) -> WebhookEndedFacts {
    WebhookEndedFacts {
        notification_id: Uuid::from_u128(0x0196_f8f0_6666_7000_8000_0000_0000_0006),
        locale,
        recipient: Some(address("zoe@example.org")),
        business: business(),
        host: "hooks.crm.example".to_owned(),
        description: "CRM & <Kasse>".to_owned(),
        gone,
        failing_since: at("2027-04-26T08:00:00Z"),
        zone: Zone::parse("Europe/Berlin").unwrap(),
    }
}

/// A booking in Berlin by a customer in New York.
pub fn facts(kind: NotificationKind, locale: Locale) -> Facts {
    use NotificationKind as Kind;
    let moved = matches!(kind, Kind::Reschedule | Kind::StaffMoved);
    let called_off =
        matches!(kind, Kind::Cancellation | Kind::Declined | Kind::Expired | Kind::StaffCancelled);
    let rev = if moved || called_off { Rev(2) } else { Rev(1) };
    let recipient = if kind.is_for_staff() { "mia@salon.example" } else { "zoe@example.org" };
    Facts {
        notification_id: Uuid::from_u128(0x0196_f8f0_1111_7000_8000_0000_0000_0001),
        kind,
        rev,
        locale,
        recipient: Some(address(recipient)),
        recipient_proven: false,
        recipient_name: if kind.is_for_staff() { "Mia Weiß" } else { "Zoë Łukasz" }.to_owned(),
        business: business(),
        visit: None,
        booking: Booking {
            id: Uuid::from_u128(0x0196_f8f0_2222_7000_8000_0000_0000_0002),
            rev,
            status: match kind {
                Kind::Cancellation | Kind::StaffCancelled => BookingStatus::Cancelled,
                Kind::Pending | Kind::StaffPending => BookingStatus::Pending,
                Kind::Declined => BookingStatus::Declined,
                Kind::Expired => BookingStatus::Expired,
                _ => BookingStatus::Confirmed,
            },
            ics_uid: "0196f8f0-2222-7000-8000-000000000002@punctual".to_owned(),
            link_epoch: 0,
            manage_epoch: 0,
            start: at("2027-05-04T08:00:00Z"),
            end: at("2027-05-04T08:45:00Z"),
            zone: Zone::parse("Europe/Berlin").unwrap(),
            service_id: Uuid::from_u128(0x0196_f8f0_6666_7000_8000_0000_0000_0006),
            service_active: true,
            service_name: "Haarschnitt & Föhnen".to_owned(),
            price: Money { minor: 4_500, currency: Currency::parse("EUR").unwrap() },
            staff_name: "Mia Weiß".to_owned(),
            customer_id: Uuid::from_u128(0x0196_f8f0_3333_7000_8000_0000_0000_0003),
            customer_link_epoch: 0,
            customer_name: "Zoë Łukasz".to_owned(),
            customer_email: Some(address("zoe@example.org")),
            customer_phone: Some("+1 212 555-0123".to_owned()),
            for_whom: matches!(kind, Kind::Confirmation | Kind::StaffNew).then(|| "Mila Łukasz".to_owned()),
            customer_note: "Please only the tips.\nI may be five minutes late.".to_owned(),
            customer_zone: Some(Zone::parse("America/New_York").unwrap()),
            previous_staff: (kind == Kind::StaffMoved).then(|| "Jonas Groß".to_owned()),
            changed_by_customer: kind == Kind::StaffCancelled,
            message: None,
            customer_not_told: false,
            given_up: None,
            cancel_until: at("2027-05-04T08:00:00Z"),
            move_until: at("2027-05-04T08:00:00Z"),
            previous: moved.then(|| (at("2027-05-03T12:00:00Z"), at("2027-05-03T12:45:00Z"))),
        },
    }
}

/// Three appointments of one customer in Berlin, the last of which waits for staff if they are booked.
pub fn several_facts(kind: NotificationKind, locale: Locale) -> SeveralFacts {
    use NotificationKind as Kind;
    let called_off = matches!(kind, Kind::AppointmentsCancelled | Kind::StaffAppointmentsCancelled);
    let booking = |number: u128, start, end, status| OneOfSeveral {
        link: Link { purpose: Purpose::Manage, id: Uuid::from_u128(number), epoch: 0 },
        ics_uid: format!("{}@punctual", Uuid::from_u128(number)),
        rev: if kind == Kind::AppointmentsBooked { Rev(1) } else { Rev(2) },
        status: if called_off { BookingStatus::Cancelled } else { status },
        start: at(start),
        end: at(end),
        zone: Zone::parse("Europe/Berlin").unwrap(),
        service_id: Uuid::from_u128(0x0196_f8f0_6666_7000_8000_0000_0000_0006),
        service_active: true,
        service_name: "Haarschnitt & Föhnen".to_owned(),
        price: Money { minor: 4_500, currency: Currency::parse("EUR").unwrap() },
        staff_name: "Mia Weiß".to_owned(),
    };
    let last =
        if kind == Kind::AppointmentsBooked { BookingStatus::Pending } else { BookingStatus::Confirmed };
    let recipient = if kind.is_for_staff() { "mia@salon.example" } else { "zoe@example.org" };
    SeveralFacts {
        notification_id: Uuid::from_u128(0x0196_f8f0_7777_7000_8000_0000_0000_0007),
        kind,
        locale,
        recipient: Some(address(recipient)),
        recipient_proven: false,
        business: business(),
        customer_name: "Zoë Łukasz".to_owned(),
        customer_email: Some(address("zoe@example.org")),
        customer_phone: Some("+1 212 555-0123".to_owned()),
        for_whom: None,
        message: called_off.then(|| "Mia is on leave from October.".to_owned()),
        changed_by_customer: kind == Kind::StaffAppointmentsCancelled,
        customer_not_told: false,
        bookings: vec![
            booking(8, "2027-10-19T08:00:00Z", "2027-10-19T08:45:00Z", BookingStatus::Confirmed),
            booking(9, "2027-10-26T08:00:00Z", "2027-10-26T08:45:00Z", BookingStatus::Confirmed),
            booking(10, "2027-11-02T09:00:00Z", "2027-11-02T09:45:00Z", last),
        ],
        revs: 6,
    }
}
