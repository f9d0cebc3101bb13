use poem::{IntoResponse, Response};
use punctual_core::{bookings::Booking, feeds, settings::Business};

use super::{Page, Visit, holder, managed};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::named,
    views::calendar_file::{CalendarFile, Reader},
};

/// `/m/{token}/calendar.ics`: the booking as a calendar file.
pub struct Calendar;

impl Page for Calendar {
    const OPERATION: &'static Operation = &named("pageCalendar");
    const PATTERN: &'static str = "/m/{token}/calendar.ics";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let core = &visit.state.core;
        let (business, entry) = feeds::entry(core, &holder(&managed), managed.booking.id).await?;
        let file = CalendarFile::of_booking(&business, &entry, Reader::Customer);
        Ok(file.unless_known(&visit.headers).into_response())
    }
}

/// Links that add the booking to two web calendars.
pub struct WebCalendars {
    pub google: String,
    pub outlook: String,
}

impl WebCalendars {
    pub fn of(booking: &Booking, business: &Business) -> Self {
        let title = format!("{} – {}", booking.what(), business.name);
        let place = business.address.lines().map(str::trim).collect::<Vec<_>>().join(", ");
        let (start, end) = (booking.start.to_utc(), booking.end.to_utc());
        let compact = |at: chrono::DateTime<chrono::Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
        let written = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let google = query(&[
            ("action", "TEMPLATE"),
            ("text", &title),
            ("dates", &format!("{}/{}", compact(start), compact(end))),
            ("location", &place),
        ]);
        let outlook = query(&[
            ("path", "/calendar/action/compose"),
            ("rru", "addevent"),
            ("subject", &title),
            ("startdt", &written(start)),
            ("enddt", &written(end)),
            ("location", &place),
        ]);
        Self {
            google: format!("https://calendar.google.com/calendar/render?{google}"),
            outlook: format!("https://outlook.live.com/calendar/0/deeplink/compose?{outlook}"),
        }
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
