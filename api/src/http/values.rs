//! Core's values as types of the document: strings with a format, parsed by core.

use std::borrow::Cow;

use chrono::TimeDelta;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use punctual_core::{
    calendar::CivilTime,
    changes::Position,
    types::{
        self, About, AccentColour, Country, Currency, Cursor, EmailAddress, Label, Month, Note, Period,
        PersonName, Phone, PostalAddress, Reason, Zone,
    },
    webhooks::WebhookUrl,
};
use punctual_queue::ops;
use serde::Serialize;
use serde_json::Value;

use crate::{
    http::problem::{Place, Problem},
    schema::format,
};

macro_rules! value {
    (
        $(#[doc = $doc:literal])*
        $name:ident($inner:ty) as $schema:literal, $format:literal, $lengths:expr, example $example:literal, parse $parse:expr
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<$inner> = $parse;
                parse(text).map(Self)
            }
        }

        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $schema.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference($schema.to_owned())
            }

            fn register(registry: &mut Registry) {
                registry.create_schema::<Self, _>($schema.to_owned(), |_| {
                    let lengths: std::ops::RangeInclusive<usize> = $lengths;
                    MetaSchema {
                        description: Some(concat!($($doc),*).trim_ascii()),
                        min_length: Some(*lengths.start()),
                        max_length: Some(*lengths.end()),
                        example: Some(Value::String($example.to_owned())),
                        ..MetaSchema::new_with_format("string", $format)
                    }
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                let text = value.as_ref().and_then(Value::as_str);
                text.and_then(Self::parse).ok_or_else(|| ParseError::custom("format"))
            }
        }

        impl ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> ParseResult<Self> {
                Self::parse(text).ok_or_else(|| ParseError::custom("format"))
            }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                serde_json::to_value(&self.0).ok()
            }
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }
    };
}

value! {
    /// An e-mail address that needs no quoting (RFC 5321).
    Email(EmailAddress) as "EmailAddress", "email", 3..=254, example "ada@example.org", parse |text| EmailAddress::parse(text).ok()
}
value! {
    /// A person's name as they write it, on one line.
    Name(PersonName) as "PersonName", "person-name", 1..=200, example "Ada Lovelace", parse |text| PersonName::parse(text).ok()
}
value! {
    /// The name of a thing, on one line.
    LabelText(Label) as "Label", "label", 1..=200, example "Haircut", parse |text| Label::parse(text).ok()
}
value! {
    /// A phone number as a person writes it: digits, spaces and `+ - / ( ) .`.
    PhoneNumber(Phone) as "PhoneNumber", "phone", 3..=40, example "+49 30 1234567", parse |text| Phone::parse(text).ok()
}
value! {
    /// A note; it may have several lines.
    NoteText(Note) as "Note", "note", 0..=2000, example "I prefer the window seat.", parse |text| Note::parse(text).ok()
}
value! {
    /// A sentence or two about a person, on one line.
    AboutText(About) as "About", "about", 0..=300, example "Cuts hair with patience since 2009.",
    parse |text| About::parse(text).ok()
}
value! {
    /// A colour on which white text can be read, with a contrast of at least 4.5:1 (WCAG 2.2).
    Colour(AccentColour) as "Colour", "colour", 7..=7, example "#1d6f5c", parse |text| AccentColour::parse(text).ok()
}
value! {
    /// A postal address; it may have several lines.
    AddressText(PostalAddress) as "PostalAddress", "postal-address", 0..=500, example "Sonnenallee 1\n12047 Berlin",
    parse |text| PostalAddress::parse(text).ok()
}
value! {
    /// A reason, in one line.
    ReasonText(Reason) as "Reason", "reason", 0..=200, example "Summer holidays", parse |text| Reason::parse(text).ok()
}
value! {
    /// A time zone by its IANA name.
    TimeZone(Zone) as "TimeZone", "time-zone", 1..=64, example "Europe/Berlin", parse |text| Zone::parse(text).ok()
}
value! {
    /// A language tag (BCP 47) such as `de-AT`. Mails and pages are in English and German; for any other language the
    /// business's is taken.
    LanguageTag(types::LanguageTag) as "LanguageTag", "language-tag", 2..=35, example "de-AT",
    parse |text| types::LanguageTag::parse(text).ok()
}
value! {
    /// A wall-clock time to the minute, `00:00` to `24:00`.
    TimeOfDay(CivilTime) as "TimeOfDay", "civil-time", 1..=5, example "09:00", parse |text| text.parse().ok()
}
value! {
    /// An ISO 4217 currency code.
    CurrencyCode(Currency) as "CurrencyCode", "currency", 3..=3, example "EUR", parse |text| Currency::parse(text).ok()
}
value! {
    /// A country by its ISO 3166-1 alpha-2 code.
    CountryCode(Country) as "CountryCode", "country", 2..=2, example "DE", parse |text| Country::parse(text).ok()
}
value! {
    /// A month.
    MonthText(Month) as "Month", "month", 7..=7, example "2027-05", parse |text| Month::parse(text).ok()
}
value! {
    /// Start of a page of a list. Opaque: pass it on unchanged.
    PageCursor(Cursor) as "Cursor", "cursor", 32..=32, example "AAZRrZ5_wAABlqHwfB5wAIAAAAAAAAAA", parse |text| Cursor::parse(text).ok()
}
value! {
    /// Name of a queue, or of a kind of job.
    JobName(String) as "JobName", "job-name", 1..=100, example "mails", parse |text| format::is_job_name(text).then(|| text.to_owned())
}
value! {
    /// Start of a page of jobs. Opaque: pass it on unchanged.
    JobCursor(String) as "JobCursor", "job-cursor", 5..=64, example "0.1809417600000000.42", parse |text| Some(text.to_owned())
}
value! {
    /// A position in the feed of events. Opaque: pass it on unchanged.
    FeedCursor(Position) as "FeedCursor", "feed-cursor", 3..=39, example "7421-1289", parse |text| Position::parse(text).ok()
}
value! {
    /// The URL of a webhook endpoint: absolute, https, without user name, password or fragment. http is possible only for
    /// private networks that the operator allows (`PUNCTUAL_WEBHOOK_NETWORKS`).
    HookUrl(WebhookUrl) as "WebhookUrl", "webhook-url", 10..=2048, example "https://hooks.example.org/punctual", parse |text| WebhookUrl::parse(text).ok()
}
value! {
    /// A period of exact length: an ISO 8601 duration of weeks, days, hours, minutes and seconds.
    PeriodText(String) as "Period", "duration", 2..=40, example "PT24H", parse |text| Period::parse(text).ok().map(|_| text.to_owned())
}
value! {
    /// A key of the caller's choice that makes repeating a request safe: printable ASCII.
    IdempotencyKey(String) as "IdempotencyKey", "idempotency-key", 1..=64, example "4f5c1b0e-booking-1", parse |text| Some(text.to_owned())
}

impl JobCursor {
    /// Converts to the type of the use cases.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn place(&self) -> Result<ops::Cursor, Problem> {
        self.0
            .parse()
            .map_err(|_| Problem::invalid_at(Place::Query, "/cursor", "format", format::NOT_A_CURSOR))
    }
}

impl PeriodText {
    /// Its length.
    ///
    /// # Errors
    /// `invalid_request`; the schema has refused before what is no period.
    pub fn length(&self) -> Result<TimeDelta, Problem> {
        let parsed = Period::parse(&self.0).map(Period::length);
        parsed.map_err(|error| Problem::invalid_at(Place::Body, "/by", error.code, error.message))
    }
}

impl IdempotencyKey {
    /// Converts to the type of the use cases.
    ///
    /// # Errors
    /// `invalid_request`; the guard has refused before what is not a key.
    pub fn parsed(&self) -> Result<punctual_core::idempotency::IdempotencyKey, Problem> {
        punctual_core::idempotency::IdempotencyKey::parse(&self.0).map_err(|error| {
            Problem::invalid_at(Place::Header, "/Idempotency-Key", error.code, error.message)
        })
    }
}
