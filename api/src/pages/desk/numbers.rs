use chrono::Months;
use poem::{IntoResponse as _, Response, http::StatusCode};
use punctual_core::{
    bookings::ListBookings,
    calendar::{after_date, day_start},
    reports::{self, BookingCounts},
    types::{Locale, Money, Month},
    wording::{month_name, price},
};
use serde::Serialize;

use super::{Desk, DeskPage};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::named,
    views::{bookings_file, customers_file},
};

/// `/desk/numbers`: the figures of a month.
pub struct Numbers;

/// `/desk/bookings.csv`: the bookings that start in a month; all without one.
pub struct BookingsFile;

/// `/desk/customers.csv`: all customers.
pub struct CustomersFile;

#[derive(Serialize)]
struct Facts {
    month: String,
    earlier: String,
    later: String,
    file: String,
    rows: Vec<Figures>,
}

/// The figures of one member of staff, or of all.
#[derive(Serialize)]
struct Figures {
    /// None for all.
    name: Option<String>,
    appointments: i64,
    cancelled: i64,
    no_shows: i64,
    revenue: String,
    booked: String,
}

impl DeskPage for Numbers {
    const OPERATION: &'static Operation = &named("deskNumbers");
    const PATTERN: &'static str = "/desk/numbers";
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let today = desk.zone()?.at(desk.core().now()).format("%Y-%m").to_string();
        let asked = desk.visit.query_param("month").and_then(|text| Month::parse(text).ok());
        let Some(month) = asked.or_else(|| Month::parse(&today).ok()) else {
            return Err(punctual_core::Error::NotFound("month").into());
        };
        let report = reports::month(desk.core(), &desk.actor(), month).await?;
        let (booked, open) = report
            .staff
            .iter()
            .fold((0, 0), |(booked, open), member| (booked + member.booked_min, open + member.open_min));
        let mut rows: Vec<Figures> = report
            .staff
            .iter()
            .map(|member| {
                let of = (member.booked_min, member.open_min);
                figures(Some(member.name.clone()), member.bookings, &member.revenue, of, desk.locale)
            })
            .collect();
        rows.push(figures(None, report.bookings, &report.revenue, (booked, open), desk.locale));
        let at = |months: Option<chrono::NaiveDate>| {
            let month = months.map(|date| date.format("%Y-%m").to_string()).unwrap_or_default();
            desk.link("/numbers", &[("month", &month)])
        };
        let facts = Facts {
            month: month_name(month.first(), desk.locale),
            earlier: at(month.first().checked_sub_months(Months::new(1))),
            later: at(month.first().checked_add_months(Months::new(1))),
            file: desk.link("/bookings.csv", &[("month", &month.to_string())]),
            rows,
        };
        desk.page(StatusCode::OK, "desk/numbers.html.j2", "settings", None, &facts)
    }
}

fn figures(
    name: Option<String>,
    counts: BookingCounts,
    revenue: &[Money],
    (booked, open): (i64, i64),
    locale: Locale,
) -> Figures {
    let revenue: Vec<String> = revenue.iter().map(|money| price(*money, locale)).collect();
    let hours = |minutes: i64| format!("{}:{:02}", minutes / 60, minutes % 60);
    Figures {
        name,
        appointments: counts.pending + counts.confirmed + counts.completed,
        cancelled: counts.cancelled + counts.declined,
        no_shows: counts.no_shows,
        revenue: if revenue.is_empty() { "–".to_owned() } else { revenue.join(", ") },
        booked: match (booked * 100).checked_div(open) {
            Some(share) => format!("{} / {} ({share} %)", hours(booked), hours(open)),
            None => hours(booked),
        },
    }
}

impl DeskPage for BookingsFile {
    const OPERATION: &'static Operation = &named("deskBookingsFile");
    const PATTERN: &'static str = "/desk/bookings.csv";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let zone = desk.zone()?;
        let month = desk.visit.query_param("month").and_then(|text| Month::parse(text).ok());
        let which = ListBookings {
            from: month.map(|month| day_start(zone, month.first())),
            to: month.map(|month| day_start(zone, after_date(month.last()))),
            ..ListBookings::default()
        };
        Ok(bookings_file(desk.core(), desk.actor(), which).into_response())
    }
}

impl DeskPage for CustomersFile {
    const OPERATION: &'static Operation = &named("deskCustomersFile");
    const PATTERN: &'static str = "/desk/customers.csv";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        Ok(customers_file(desk.core(), desk.actor()).into_response())
    }
}
