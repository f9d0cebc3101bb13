//! The formats of strings in the document: what each accepts, and which types use them.

use chrono::{DateTime, FixedOffset, NaiveDate};
use punctual_core::{
    calendar::CivilTime,
    changes::Position,
    idempotency::IdempotencyKey,
    types::{
        About, AccentColour, Country, Currency, Cursor, EmailAddress, Label, LanguageTag, Month, Note,
        ParseError, Period, PersonName, Phone, PostalAddress, Reason, Zone,
    },
    webhooks::WebhookUrl,
};
use punctual_queue::ops;
use uuid::Uuid;

/// Why a text does not match a format: a code, and what is expected.
pub type Refusal = (&'static str, &'static str);

/// Whether `text` matches the format `name`; an unknown name accepts everything.
pub fn check(name: &str, text: &str) -> Result<(), Refusal> {
    match name {
        "date-time" => instant(text).map(drop),
        // poem-openapi's name for a date of chrono; the document uses the registered name.
        "date" | "naive-date" => date(text).map(drop),
        "uuid" => uuid(text).map(drop),
        "email" => of_core(EmailAddress::parse(text)),
        "person-name" => of_core(PersonName::parse(text)),
        "label" => of_core(Label::parse(text)),
        "phone" => of_core(Phone::parse(text)),
        "note" => of_core(Note::parse(text)),
        "about" => of_core(About::parse(text)),
        "colour" => of_core(AccentColour::parse(text)),
        "postal-address" => of_core(PostalAddress::parse(text)),
        "reason" => of_core(Reason::parse(text)),
        "language-tag" => of_core(LanguageTag::parse(text)),
        "time-zone" => of_core(Zone::parse(text)),
        "country" => of_core(Country::parse(text)),
        "month" => of_core(Month::parse(text)),
        "currency" => of_core(Currency::parse(text)),
        "civil-time" => text
            .parse::<CivilTime>()
            .map(drop)
            .map_err(|_| ("format", "must be a time of day such as 09:30, or 24:00")),
        "cursor" => of_core(Cursor::parse(text)),
        "idempotency-key" => of_core(IdempotencyKey::parse(text)),
        "feed-cursor" => of_core(Position::parse(text)),
        "duration" => of_core(Period::parse(text)),
        "webhook-url" => of_core(WebhookUrl::parse(text)),
        "job-name" if is_job_name(text) => Ok(()),
        "job-name" => Err(("format", "must be letters, digits, dots, hyphens, colons and underscores")),
        "job-cursor" => text.parse::<ops::Cursor>().map(drop).map_err(|_| ("bad_cursor", NOT_A_CURSOR)),
        _ => Ok(()),
    }
}

/// The pattern of a format, if one that all generators understand can express it.
#[must_use]
pub fn pattern(name: &str) -> Option<&'static str> {
    Some(match name {
        "phone" => "^[0-9 +/().-]*[0-9][0-9 +/().-]*[0-9][0-9 +/().-]*[0-9][0-9 +/().-]*$",
        "country" => "^[A-Z]{2}$",
        "month" => "^2[0-9]{3}-(0[1-9]|1[0-2])$",
        "currency" => "^[A-Z]{3}$",
        "language-tag" => "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        "colour" => "^#[0-9A-Fa-f]{6}$",
        "civil-time" => "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$",
        "cursor" => "^[A-Za-z0-9_-]{32}$",
        "idempotency-key" => "^[ -~]{1,64}$",
        "job-name" => "^[A-Za-z0-9_.:-]{1,100}$",
        "feed-cursor" => "^[0-9]{1,19}-[0-9]{1,19}$",
        "duration" => "^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$",
        "webhook-url" => "^https?://[!-~]+$",
        "job-cursor" => "^-?[0-9]{1,5}[.][0-9]{1,17}[.][0-9]{1,19}$",
        _ => return None,
    })
}

/// The expectation for a cursor, in errors.
pub const NOT_A_CURSOR: &str = "not a cursor: pass next_cursor of a previous page unchanged";

/// Whether the text is a name of a queue or of a kind of job.
#[must_use]
pub fn is_job_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

fn of_core<T>(parsed: Result<T, ParseError>) -> Result<(), Refusal> {
    parsed.map(drop).map_err(|error| (error.code, error.message))
}

/// An instant: strict RFC 3339 with an offset. chrono alone also accepts a space for the `T` and a lower-case `t` and `z`,
/// which RFC 3339 §5.6 leaves to the application.
pub fn instant(text: &str) -> Result<DateTime<FixedOffset>, Refusal> {
    const EXPECTED: Refusal =
        ("format", "must be an instant with an offset (RFC 3339) such as 2027-05-04T10:00:00+02:00");
    let strict = text.len() <= 35 && text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    if !strict {
        return Err(EXPECTED);
    }
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| EXPECTED)?;
    let within = (1970..=9998).contains(&chrono::Datelike::year(&instant));
    if within { Ok(instant) } else { Err(("out_of_range", "must lie in the years 1970 to 9998")) }
}

/// A civil date, `YYYY-MM-DD`.
pub fn date(text: &str) -> Result<NaiveDate, Refusal> {
    const EXPECTED: Refusal = ("format", "must be a date such as 2027-05-04");
    let digits = |(index, byte): (usize, u8)| {
        if matches!(index, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
    };
    if text.len() != 10 || !text.bytes().enumerate().all(digits) {
        return Err(EXPECTED);
    }
    let date: NaiveDate = text.parse().map_err(|_| EXPECTED)?;
    let within = (1970..=9998).contains(&chrono::Datelike::year(&date));
    if within { Ok(date) } else { Err(("out_of_range", "must lie in the years 1970 to 9998")) }
}

fn uuid(text: &str) -> Result<Uuid, Refusal> {
    const EXPECTED: Refusal = ("format", "must be a UUID such as 0196a1f0-7c1e-7000-8000-000000000000");
    if text.len() == 36 { Uuid::try_parse(text).map_err(|_| EXPECTED) } else { Err(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_an_offset() {
        for good in ["2027-05-04T10:00:00+02:00", "2027-05-04T10:00:00Z", "2027-05-04T10:00:00.123456-09:30"]
        {
            assert!(instant(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "2027-05-04",
            "2027-05-04T10:00:00",
            "2027-05-04 10:00Z",
            "2027-05-04 10:00:00Z",
            "2027-05-04t10:00:00Z",
            "2027-05-04T10:00:00z",
            "2027-05-04T10:00Z",
            "2027-05-04T10:00:00 +02:00",
            "2027-05-04T10:00:00+0200",
            "2027-05-04T25:00:00Z",
            "2027-02-29T10:00:00Z",
            "1805-05-04T10:00:00Z",
            "+12027-05-04T10:00:00Z",
        ] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_has_ten_characters() {
        assert!(date("2027-05-04").is_ok());
        for bad in ["2027-5-4", "2027-05-04T00:00:00Z", "2027-02-30", "+027-05-04", "20270504", "0001-01-01"]
        {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_is_printable() {
        assert!(check("idempotency-key", "a-1_B.~").is_ok());
        for bad in ["", "a\n", "ä", &"x".repeat(65)] {
            assert!(check("idempotency-key", bad).is_err(), "{bad:?}");
        }
    }
}
