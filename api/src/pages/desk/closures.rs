use chrono::{Days, NaiveDate};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    hours::{self, Closure},
    types::Reason,
    wording::long_day,
};
use serde::Serialize;

use super::{Desk, DeskPage, Notice, fields::Fields};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/closures`: dates on which the whole business is closed.
pub struct Closures;

/// How many days ahead are listed.
const DAYS: u64 = 730;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    closures: Vec<One>,
    today: NaiveDate,
}

#[derive(Serialize)]
struct One {
    date: NaiveDate,
    day: String,
    reason: String,
}

impl DeskPage for Closures {
    const OPERATION: &'static Operation = &named("deskClosures");
    const PATTERN: &'static str = "/desk/closures";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.asked("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        let fields = Fields::with([("date", String::new()), ("reason", String::new())]);
        render(desk, StatusCode::OK, notice, fields).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        if let Some(date) = form.text("remove").and_then(|text| text.parse::<NaiveDate>().ok()) {
            return match hours::reopen(desk.core(), date).await {
                // Somebody else has removed it.
                Ok(()) | Err(Error::NotFound(_)) => Ok(desk.go("/closures", &[("done", "saved")])),
                Err(error) => Err(error.into()),
            };
        }
        let mut fields = Fields::of(&form, &["date", "reason"]);
        let date = fields.parse("date", "desk_fault_date", str::parse::<NaiveDate>);
        let reason = Reason::parse(fields.text("reason"));
        if reason.is_err() {
            fields.fault("reason", "desk_fault_reason");
        }
        let (Some(date), Ok(reason)) = (date, reason) else {
            let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
            return render(desk, status, notice, fields).await;
        };
        let changed = hours::close(desk.core(), Closure { date, reason }).await?;
        if changed.stranded.is_empty() {
            Ok(desk.go("/closures", &[("done", "saved")]))
        } else {
            Ok(desk.go("/stranded", &[]))
        }
    }
}

async fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
) -> Result<Response, Problem> {
    let today = desk.zone()?.at(desk.core().now()).date_naive();
    let list = hours::closures(desk.core(), today, today + Days::new(DAYS)).await?;
    let closures = list.into_iter().map(|closure| One {
        date: closure.date,
        day: long_day(closure.date, desk.locale),
        reason: closure.reason.as_str().to_owned(),
    });
    let facts = Facts { fields, closures: closures.collect(), today };
    desk.page(status, "desk/closures.html.j2", "settings", notice, &facts)
}
