use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::{
    services::Service,
    types::{Label, Locale, Money, Zone},
    wording::{When, price, with_seats},
};
use serde::Serialize;
use uuid::Uuid;

use super::Visitor;
use crate::pages::appointment::span;

/// A service as these pages show it.
#[derive(Serialize)]
pub struct ServiceFacts {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    /// `45 minutes`
    pub duration: String,
    /// None: free of charge.
    pub price: Option<String>,
    /// For a class: its capacity.
    pub seats: Option<String>,
    pub requires_confirmation: bool,
    /// Until when it can be cancelled.
    pub cancel_until: Option<String>,
}

impl ServiceFacts {
    pub fn new(service: &Service, locale: Locale) -> Self {
        let (spec, text) = (&service.spec, service.spec.text(locale));
        let money = Money { minor: spec.price_minor, currency: service.currency };
        let notice = span(spec.cancel_notice_min, locale);
        let cancel_until = match (spec.cancel_notice_min, locale) {
            (0, _) => None,
            (_, Locale::En) => Some(format!("You can cancel it until {notice} before.")),
            (_, Locale::De) => Some(format!("Absagen können Sie bis {notice} vorher.")),
        };
        let seats = match locale {
            Locale::En => format!("for groups of up to {}", spec.capacity),
            Locale::De => format!("für Gruppen bis {}", spec.capacity),
        };
        Self {
            id: service.id,
            name: text.name.as_str().to_owned(),
            description: text.description.as_str().to_owned(),
            duration: span(spec.duration_min, locale),
            price: (spec.price_minor > 0).then(|| price(money, locale)),
            seats: (spec.capacity > 1).then_some(seats),
            requires_confirmation: spec.requires_confirmation,
            cancel_until,
        }
    }
}

impl ServiceFacts {
    /// Several services as one: the sum of their times and prices.
    pub fn of_visit(services: &[Cow<'_, Service>], locale: Locale) -> Self {
        let names: Vec<_> = services.iter().map(|service| service.spec.text(locale).name).collect();
        let minor = services.iter().map(|service| service.spec.price_minor).sum();
        let currency = services.first().map(|first| first.currency);
        let money = currency.map(|currency| price(Money { minor, currency }, locale));
        Self {
            id: services.first().map_or(Uuid::nil(), |first| first.id),
            name: names.iter().map(Label::as_str).collect::<Vec<_>>().join(" + "),
            description: String::new(),
            duration: span(services.iter().map(|service| service.spec.duration_min).sum(), locale),
            price: money.filter(|_| minor > 0),
            seats: None,
            requires_confirmation: services.iter().any(|service| service.spec.requires_confirmation),
            cancel_until: None,
        }
    }
}

/// The summary of a booking, for `summary.html.j2`.
#[derive(Serialize)]
pub struct Summary {
    pub service: ServiceFacts,
    /// The member of staff; none: anyone.
    pub staff: Option<String>,
    pub when: When,
    /// None if the visitor's zone has the same time.
    pub when_for_customer: Option<When>,
}

impl Summary {
    pub fn new(
        visitor: &Visitor,
        (service, seats): (&Service, u32),
        staff: Option<String>,
        start: DateTime<Utc>,
        zone: Zone,
    ) -> Self {
        let end = start + TimeDelta::minutes(i64::from(service.spec.duration_min));
        let when = |zone| When::new(start, end, zone, visitor.locale);
        let elsewhere = visitor.zone.filter(|other| other.at(start).offset() != zone.at(start).offset());
        let mut facts = ServiceFacts::new(service, visitor.locale);
        if seats > 1 {
            let minor = service.spec.price_minor.saturating_mul(i64::from(seats));
            let money = Money { minor, currency: service.currency };
            facts.name = with_seats(&facts.name, seats.cast_signed());
            facts.price = (minor > 0).then(|| price(money, visitor.locale));
        }
        Self { service: facts, staff, when: when(zone), when_for_customer: elsewhere.map(when) }
    }
}
