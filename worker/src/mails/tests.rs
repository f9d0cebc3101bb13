//! Snapshots of every mail in every language, and tests of escaping.

use chrono::TimeDelta;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::{Facts, VisitFacts};
use punctual_core::types::Locale;

use super::samples::{
    account_facts, address, at, booking_links_facts, facts, keys, several_facts, webhook_ended_facts,
};
use super::{
    Mail, Templates, compose, compose_account, compose_booking_links, compose_reminder_of_visit,
    compose_several, compose_webhook_ended,
};

const NOW: &str = "2027-05-01T09:30:00Z";

fn composed(facts: &Facts) -> Mail {
    compose(&Templates::embedded().unwrap(), &keys(), facts, facts.recipient.as_ref().unwrap(), at(NOW))
        .unwrap()
}

/// The mail as a mail client decodes it: headers as sent, parts as text.
fn readable(mail: &Mail) -> String {
    let raw = String::from_utf8(mail.bytes.clone()).unwrap();
    let (head, _) = raw.split_once("\r\n\r\n").unwrap();
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    let mut out = head.replace("\r\n", "\n");
    for part in &parsed.parts {
        let (PartType::Text(body) | PartType::Html(body)) = &part.body else { continue };
        let kind = part.content_type().unwrap();
        let method = kind.attribute("method").map(|method| format!("; method={method}")).unwrap_or_default();
        let kind = format!("{}/{}{method}", kind.ctype(), kind.subtype().unwrap_or_default());
        out = format!("{out}\n\n=== {kind}\n{}", body.replace("\r\n", "\n"));
    }
    out
}

fn calendar_part(mail: &Mail) -> Option<String> {
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    parsed.parts.iter().find_map(|part| match &part.body {
        PartType::Text(body) if part.content_type()?.subtype() == Some("calendar") => Some(body.to_string()),
        _ => None,
    })
}

#[test]
fn every_mail_in_every_language() {
    for kind in NotificationKind::OF_BOOKINGS {
        for locale in [Locale::En, Locale::De] {
            let mail = composed(&facts(kind, locale));
            assert!(mail.bytes.is_ascii(), "a relay without 8BITMIME takes it");
            insta::assert_snapshot!(format!("{}.{}", kind.as_str(), locale.as_str()), readable(&mail));
        }
    }
}

#[test]
fn the_reminder_of_a_visit_in_every_language() {
    for locale in [Locale::En, Locale::De] {
        let facts = facts(NotificationKind::Reminder, locale);
        let bookings = several_facts(NotificationKind::AppointmentsMoved, locale).bookings;
        let visit = VisitFacts { bookings, revs: 2 };
        let templates = Templates::embedded().unwrap();
        let to = address("zoe@example.org");
        let mail = compose_reminder_of_visit(&templates, &keys(), &facts, &visit, &to, at(NOW)).unwrap();
        assert!(mail.bytes.is_ascii(), "a relay without 8BITMIME takes it");
        insta::assert_snapshot!(format!("reminder_of_visit.{}", locale.as_str()), readable(&mail));
    }
}

#[test]
fn every_mail_to_an_account_in_every_language() {
    for kind in NotificationKind::OF_ACCOUNTS {
        for locale in [Locale::En, Locale::De] {
            let facts = account_facts(kind, locale);
            let templates = Templates::embedded().unwrap();
            let mail =
                compose_account(&templates, &keys(), &facts, &address("zoe@example.org"), at(NOW)).unwrap();
            assert!(mail.bytes.is_ascii(), "a relay without 8BITMIME takes it");
            insta::assert_snapshot!(format!("{}.{}", kind.as_str(), locale.as_str()), readable(&mail));
        }
    }
}

#[test]
fn every_mail_about_several_bookings_in_every_language() {
    for kind in NotificationKind::OF_SEVERAL {
        for locale in [Locale::En, Locale::De] {
            let facts = several_facts(kind, locale);
            let to = facts.recipient.clone().unwrap();
            let templates = Templates::embedded().unwrap();
            let mail = compose_several(&templates, &keys(), &facts, &to, at(NOW)).unwrap();
            assert!(mail.bytes.is_ascii(), "a relay without 8BITMIME takes it");
            insta::assert_snapshot!(format!("{}.{}", kind.as_str(), locale.as_str()), readable(&mail));
        }
    }
}

#[test]
fn the_mail_with_links_in_every_language() {
    for locale in [Locale::En, Locale::De] {
        let facts = booking_links_facts(locale);
        let templates = Templates::embedded().unwrap();
        let to = address("zoe@example.org");
        let mail = compose_booking_links(&templates, &keys(), &facts, &to, at(NOW)).unwrap();
        assert!(mail.bytes.is_ascii(), "a relay without 8BITMIME takes it");
        insta::assert_snapshot!(format!("booking_links.{}", locale.as_str()), readable(&mail));
    }
}

#[test]
fn the_mail_about_an_endpoint_in_every_language() {
    for locale in [Locale::En, Locale::De] {
        let composed = |gone| {
            let facts = webhook_ended_facts(locale, gone);
            let to = address("zoe@example.org");
            compose_webhook_ended(&Templates::embedded().unwrap(), &facts, &to, at(NOW)).unwrap()
        };
        assert!(composed(false).bytes.is_ascii(), "a relay without 8BITMIME takes it");
        insta::assert_snapshot!(format!("webhook_ended.{}", locale.as_str()), readable(&composed(false)));
        assert!(readable(&composed(true)).contains("410"));
    }
}

#[test]
fn a_resend_differs_only_in_its_date() {
    let facts = facts(NotificationKind::Confirmation, Locale::En);
    let later = at(NOW) + TimeDelta::hours(3);
    let templates = Templates::embedded().unwrap();
    let resent = compose(&templates, &keys(), &facts, &address("zoe@example.org"), later).unwrap();
    let lines = |mail: &Mail| {
        let text = String::from_utf8(mail.bytes.clone()).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with("Date:") && !line.starts_with("DTSTAMP:"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&composed(&facts)), lines(&resent));
    assert!(
        lines(&resent)
            .contains(&"Message-ID: <0196f8f0-1111-7000-8000-000000000001@salon.example>".to_owned())
    );
}

#[test]
fn user_input_is_escaped_in_html() {
    let mut facts = facts(NotificationKind::Confirmation, Locale::En);
    facts.booking.customer_name = "<script>alert(1)</script>".to_owned();
    // To an address that is not proven such a name is not repeated at all.
    facts.recipient_proven = true;
    facts.booking.service_name = "Cut\" onmouseover=\"x".to_owned();
    facts.business.address = "1 <b>High</b> Street\n<img src=x>".to_owned();
    facts.business.phone = "+1\"><script>".to_owned();
    let mail = composed(&facts);
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    let html = parsed.body_html(0).unwrap();
    for smuggled in ["<script", "<b>", "<img", "\" onmouseover"] {
        assert!(!html.contains(smuggled), "{smuggled}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn user_input_cannot_add_headers() {
    let mut facts = facts(NotificationKind::Confirmation, Locale::En);
    facts.booking.service_name = "Cut\r\nBcc: all@example.org\r\n\r\nbody\u{2028}X-A: b".to_owned();
    facts.booking.customer_name = "Zoë\r\nX-Evil: 1".to_owned();
    facts.business.name = "Salon\nX-Evil: 2\u{85}".to_owned();
    let mail = composed(&facts);
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    let names: Vec<&str> = parsed.parts[0].headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Date",
            "Message-ID",
            "From",
            "Reply-To",
            "To",
            "Auto-Submitted",
            "Subject",
            "MIME-Version",
            "Content-Type"
        ]
    );
    assert!(parsed.subject().unwrap().starts_with("Booked: Cut Bcc: all@example.org body X-A: b, "));
    let entry = calendar_part(&mail).unwrap();
    assert!(entry.lines().all(|line| !line.starts_with("Bcc") && !line.starts_with("X-")), "{entry}");
}

#[test]
fn the_calendar_entry_says_what_the_mail_says() {
    let confirmation = composed(&facts(NotificationKind::Confirmation, Locale::De));
    let entry: icalendar::Calendar = calendar_part(&confirmation).unwrap().parse().unwrap();
    let event = |calendar: &icalendar::Calendar| calendar.components[0].as_event().unwrap().clone();
    let value = |event: &icalendar::Event, key: &str| {
        use icalendar::Component;
        event.property_value(key).map(str::to_owned)
    };
    assert_eq!(entry.property_value("METHOD"), Some("REQUEST"));
    let booked = event(&entry);
    for (key, expected) in [
        ("UID", "0196f8f0-2222-7000-8000-000000000002@punctual"),
        ("SEQUENCE", "1"),
        ("STATUS", "CONFIRMED"),
        ("DTSTAMP", "20270501T093000Z"),
        ("DTSTART", "20270504T080000Z"),
        ("DTEND", "20270504T084500Z"),
        ("ORGANIZER", "mailto:termine@salon.example"),
    ] {
        assert_eq!(value(&booked, key).as_deref(), Some(expected), "{key}");
    }
    assert!(value(&booked, "LOCATION").unwrap().starts_with("Lindenstraße 5"));

    let cancellation = composed(&facts(NotificationKind::Cancellation, Locale::De));
    let entry: icalendar::Calendar = calendar_part(&cancellation).unwrap().parse().unwrap();
    assert_eq!(entry.property_value("METHOD"), Some("CANCEL"));
    let called_off = event(&entry);
    assert_eq!(value(&called_off, "UID"), value(&booked, "UID"));
    assert_eq!(value(&called_off, "SEQUENCE").as_deref(), Some("2"));
    assert_eq!(value(&called_off, "STATUS").as_deref(), Some("CANCELLED"));

    assert_eq!(calendar_part(&composed(&facts(NotificationKind::Reminder, Locale::De))), None);
}

#[test]
fn the_customers_time_is_shown_only_if_their_offset_differs() {
    let mut facts = facts(NotificationKind::Confirmation, Locale::En);
    assert!(
        readable(&composed(&facts))
            .contains("Your time: Tuesday, 4 May 2027, 04:00–04:45 (America/New_York, UTC-04:00)")
    );
    facts.booking.customer_zone = Some(punctual_core::types::Zone::parse("Europe/Paris").unwrap());
    assert!(!readable(&composed(&facts)).contains("Your time"));
}

/// Subject and plain text.
fn told(facts: &Facts) -> String {
    let mail = composed(facts);
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    format!("{}\n{}", parsed.subject().unwrap(), parsed.body_text(0).unwrap())
}

#[test]
fn a_hand_over_at_the_same_time_says_who_and_not_that_the_time_is_new() {
    let mut moved = facts(NotificationKind::Reschedule, Locale::En);
    moved.booking.previous = Some((moved.booking.start, moved.booking.end));
    moved.booking.previous_staff = Some("Jonas Groß".to_owned());
    let text = told(&moved);
    assert!(text.contains("your appointment is with Mia Weiß in place of Jonas Groß"), "{text}");
    assert!(!text.contains("new time") && !text.contains("Moved"), "{text}");
    moved.booking.previous = Some((at("2027-05-03T12:00:00Z"), at("2027-05-03T12:45:00Z")));
    let text = told(&moved);
    assert!(text.contains("has a new time and is with Mia Weiß in place of Jonas Groß"), "{text}");
}

#[test]
fn staff_are_not_told_that_a_customer_stays_away_whom_the_business_cancelled() {
    let mut cancelled = facts(NotificationKind::StaffCancelled, Locale::En);
    assert!(told(&cancelled).contains("Zoë Łukasz has cancelled and will not come"));
    cancelled.booking.changed_by_customer = false;
    cancelled.booking.customer_not_told = true;
    let text = told(&cancelled);
    assert!(text.contains("We have cancelled the appointment of Zoë Łukasz. No mail"), "{text}");
    assert!(!text.contains("will not come"), "{text}");
}

#[test]
fn whoever_asks_for_another_time_is_told_that_the_former_one_is_given_up() {
    for kind in [NotificationKind::Pending, NotificationKind::Declined, NotificationKind::Expired] {
        for locale in [Locale::En, Locale::De] {
            let mut asked = facts(kind, locale);
            let plain = told(&asked);
            assert!(!plain.contains("given up") && !plain.contains("früherer Termin"), "{plain}");
            asked.booking.given_up = Some((at("2027-05-03T12:00:00Z"), at("2027-05-03T12:45:00Z")));
            let text = told(&asked);
            assert!(text.contains("given up") || text.contains("früherer Termin"), "{text}");
            assert!(text.contains("14:00"), "{text}");
        }
    }
}

#[test]
fn a_reminder_after_the_notice_offers_only_what_is_still_possible() {
    let mut near = facts(NotificationKind::Reminder, Locale::En);
    assert!(told(&near).contains("See, move or cancel it"));
    near.booking.cancel_until = at("2027-05-03T08:00:00Z");
    let text = told(&near);
    assert!(text.contains("You can cancel it until: Monday, 3 May, 10:00"), "{text}");
    near.booking.cancel_until = at("2027-05-01T09:29:59Z");
    let text = told(&near);
    assert!(text.contains("See or move it:") && !text.contains("cancel"), "{text}");
    near.booking.move_until = near.booking.cancel_until;
    let text = told(&near);
    assert!(text.contains("See it:") && !text.contains("move"), "{text}");
}

#[test]
fn what_staff_write_is_in_the_mail_to_the_customer_only() {
    let message = Some("The heating is broken.".to_owned());
    let mut cancelled = facts(NotificationKind::Cancellation, Locale::En);
    cancelled.booking.message.clone_from(&message);
    assert!(told(&cancelled).contains("The heating is broken."));
    let mut to_staff = facts(NotificationKind::StaffCancelled, Locale::En);
    to_staff.booking.message = message;
    assert!(!told(&to_staff).contains("heating"));
}
