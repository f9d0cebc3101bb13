use poem::{Response, http::StatusCode};
use serde::Serialize;

use super::{Desk, DeskPage};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk/settings`: links to the set-up pages.
pub struct Settings;

#[derive(Serialize)]
struct Facts {
    /// Set-up steps that are not done.
    team: bool,
    services: bool,
}

impl DeskPage for Settings {
    const OPERATION: &'static Operation = &named("deskSettings");
    const PATTERN: &'static str = "/desk/settings";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let front = &desk.front()?.front;
        let facts = Facts { team: !front.staff.is_empty(), services: !front.services.is_empty() };
        desk.page(StatusCode::OK, "desk/settings.html.j2", "settings", None, &facts)
    }
}
