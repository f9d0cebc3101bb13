use chrono::{DateTime, Days, NaiveDate, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    api_keys::{self, ApiKey, NewApiKey, Scope},
    calendar::day_start,
    types::{Cursor, Label, PageSize, Zone},
    wording::long_day,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, fields::Fields};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/keys`: keys of programs that use the API. A new one is shown once, in the answer to the form.
pub struct Keys;

#[derive(Serialize)]
struct Facts<'a> {
    #[serde(flatten)]
    fields: Fields,
    scopes: Vec<Choice>,
    keys: Vec<One>,
    /// Where the next page begins.
    next: Option<String>,
    today: NaiveDate,
    /// The key that was made just now.
    made: Option<&'a str>,
}

#[derive(Serialize)]
struct Choice {
    name: &'static str,
    /// Its words.
    words: String,
    chosen: bool,
}

#[derive(Serialize)]
struct One {
    id: Uuid,
    name: String,
    scopes: Vec<&'static str>,
    /// State: `in_use`, `revoked`, `expired`.
    state: &'static str,
    made: String,
    used: Option<String>,
    /// Its last day.
    last_day: Option<String>,
}

impl DeskPage for Keys {
    const OPERATION: &'static Operation = &named("deskKeys");
    const PATTERN: &'static str = "/desk/keys";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.query_param("done") {
            Some("revoked") => Some(("desk_key_revoked_now", "status")),
            _ => None,
        };
        let fields = Fields::with([("name", String::new()), ("last_day", String::new())]);
        render(desk, StatusCode::OK, notice, fields, &[], None).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        if let Some(id) = form.text("revoke").and_then(|text| Uuid::try_parse(text).ok()) {
            return match api_keys::revoke(desk.core(), id).await {
                // Nothing of that name can be used either way.
                Ok(()) | Err(Error::NotFound(_)) => Ok(desk.go("/keys", &[("done", "revoked")])),
                Err(error) => Err(error.into()),
            };
        }
        let mut fields = Fields::of(&form, &["name", "last_day"]);
        let scopes: Vec<Scope> = form.all("scope").filter_map(|text| Scope::parse(text).ok()).collect();
        let name = fields.parse("name", "desk_fault_key_name", Label::parse);
        let last_day = fields.parse_optional("last_day", "desk_fault_date", str::parse::<NaiveDate>);
        let zone = desk.zone()?;
        let expires_at = last_day.flatten().map(|day| day_start(zone, day + Days::new(1)));
        if expires_at.is_some_and(|at| at <= desk.core().now()) {
            fields.fault("last_day", "desk_fault_key_past");
        }
        if scopes.is_empty() {
            fields.fault("scope", "desk_fault_key_scope");
        }
        let (status, faults) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
        let Some(name) = name.filter(|_| fields.are_right()) else {
            return render(desk, status, faults, fields, &scopes, None).await;
        };
        let new = NewApiKey { name, scopes: scopes.clone(), expires_at };
        match api_keys::create(desk.core(), new, rand::random()).await {
            Ok((_, secret)) => {
                let empty = Fields::with([("name", String::new()), ("last_day", String::new())]);
                let notice = Some(("desk_key_made", "status"));
                render(desk, StatusCode::OK, notice, empty, &[], Some(&secret.display())).await
            }
            Err(Error::Invalid { .. }) => {
                render(desk, status, Some(("desk_keys_full", "alert")), fields, &scopes, None).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
    chosen: &[Scope],
    made: Option<&str>,
) -> Result<Response, Problem> {
    let (zone, now) = (desk.zone()?, desk.core().now());
    let after = desk.visit.query_param("after").and_then(|text| Cursor::parse(text).ok());
    let page = api_keys::list(&desk.core().pool, PageSize::default(), after).await?;
    let day = |at: DateTime<Utc>| long_day(zone.at(at).date_naive(), desk.locale);
    let choice = |scope: Scope| Choice {
        name: scope.as_str(),
        words: format!("scope_{}", scope.as_str().replace(':', "_")),
        chosen: chosen.contains(&scope),
    };
    let facts = Facts {
        fields,
        scopes: Scope::ALL.map(choice).into(),
        keys: page.data.iter().map(|key| one(key, zone, now, &day)).collect(),
        next: page.next_cursor.map(|next| desk.link("/keys", &[("after", &next.encode())])),
        today: zone.at(now).date_naive(),
        made,
    };
    desk.page(status, "desk/keys.html.j2", "settings", notice, &facts)
}

fn one(key: &ApiKey, zone: Zone, now: DateTime<Utc>, day: &impl Fn(DateTime<Utc>) -> String) -> One {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        (None, _) => "in_use",
    };
    // An expiry at midnight is that of the day before.
    let last_day = key.expires_at.map(|at| {
        let is_midnight = day_start(zone, zone.at(at).date_naive()) == at;
        day(if is_midnight { at - chrono::TimeDelta::seconds(1) } else { at })
    });
    One {
        id: key.id,
        name: key.name.clone(),
        scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
        state,
        made: day(key.created_at),
        used: key.last_used_at.map(day),
        last_day,
    }
}
