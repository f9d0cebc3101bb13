//! Which time.

use chrono::{Days, NaiveDate};
use poem::{Response, http::StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::{Chain, Desk, Hidden, hidden, in_address, link};
use crate::{
    http::problem::Problem,
    pages::{
        desk::{board, people::Person},
        times,
    },
};

/// How many dates are shown at once.
const DAYS: u64 = 7;

#[derive(Serialize)]
struct Times {
    service: String,
    back: String,
    /// The services of a visit; none for a single one.
    chain: Vec<Link>,
    /// Link to add a service; none: there are as many as can be.
    add: Option<String>,
    staff: Vec<board::View>,
    days: Vec<times::Day>,
    earlier: Option<String>,
    later: String,
    /// Link to a time, without the time.
    base: String,
    /// Whether a time names its member of staff. In a visit several may perform it.
    names_staff: bool,
    hidden: Vec<Hidden>,
    people: Vec<Person>,
    date: NaiveDate,
    fault: Option<&'static str>,
    /// The number of seats wanted; none for a one-to-one service.
    seats: Option<Seats>,
}

/// A chosen service, and the address without it.
#[derive(Serialize)]
struct Link {
    name: String,
    without: Option<String>,
}

/// The form that asks how many seats are wanted.
#[derive(Serialize)]
struct Seats {
    wanted: u32,
    most: u32,
    hidden: Vec<Hidden>,
}

/// Shows the free times of the services.
pub(super) async fn choose(
    desk: &Desk,
    chain: &Chain<'_>,
    staff_id: Option<Uuid>,
    wanted: u32,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let (zone, now) = (desk.zone()?, desk.core().now());
    let today = zone.at(now).date_naive();
    let date = board::requested_date(desk, zone, now).max(today);
    let list = chain.list(desk, staff_id, (date, date + Days::new(DAYS - 1)), wanted).await?;
    let names = chain.names(desk.locale);
    let most = chain.services().first().map_or(1, |first| first.spec.capacity);
    let seats = most > 1 && !chain.is_visit();
    let shown = times::TimesOptions { locale: desk.locale, zone: None, preferred: staff_id, seats };
    let front = &desk.front()?.front;
    let performers = front.staff.iter().filter(|member| chain.is_performed_by(member.id));
    let mut staff = vec![board::View {
        href: link(desk, &[("staff", None), ("time", None)]),
        name: String::new(),
        current: staff_id.is_none(),
    }];
    staff.extend(performers.clone().map(|member| board::View {
        href: link(desk, &[("staff", Some(&member.id.to_string())), ("time", None)]),
        name: member.name.as_str().to_owned(),
        current: staff_id == Some(member.id),
    }));
    let at = |date: NaiveDate| link(desk, &[("date", Some(&date.to_string())), ("time", None)]);
    let without = |at: usize| {
        let left = chain.without(at)?;
        let set =
            [("service", left.services().first().map(|first| first.id.to_string())), ("then", left.then())];
        let set: Vec<_> = set.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        Some(link(desk, &set))
    };
    let of_time = [("date", None), ("time", None), ("start", None)];
    let facts = Times {
        service: names.join(" + "),
        chain: match names.len() {
            1 => Vec::new(),
            _ => (0..).zip(names).map(|(at, name)| Link { name, without: without(at) }).collect(),
        },
        add: chain.may_grow().then(|| link(desk, &[("add", Some("1")), ("time", None)])),
        seats: seats.then(|| Seats {
            wanted,
            most,
            hidden: hidden(desk, &in_address(desk, &["service", "staff", "date", "customer"])),
        }),
        back: link(desk, &[("service", None), ("then", None), ("seats", None), ("time", None)]),
        staff,
        days: times::days(list, shown),
        earlier: (date > today).then(|| at((date - Days::new(DAYS)).max(today))),
        later: at(date + Days::new(DAYS)),
        base: if chain.is_visit() {
            link(desk, &of_time)
        } else {
            link(desk, &[&of_time[..], &[("staff", None)]].concat())
        },
        names_staff: !chain.is_visit(),
        hidden: hidden(desk, &in_address(desk, &["service", "then", "seats"])),
        people: performers.map(|member| Person::new(member, staff_id)).collect(),
        date,
        fault,
    };
    let notice = fault.map(|fault| (fault, "alert"));
    desk.page(StatusCode::OK, "desk/new-time.html.j2", "new", notice, &facts)
}
