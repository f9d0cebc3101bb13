use poem::{Response, http::StatusCode};
use punctual_core::bookings::BookingStatus;

use super::{Facts, Page, Visit, decided, facts, html};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/d/{token}`
pub struct Show;

impl Page for Show {
    const OPERATION: &'static Operation = &named("pageDecide");
    const PATTERN: &'static str = "/d/{token}";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let decided = decided(&visit).await?;
        // The notice must match the booking's status, whatever the URL says.
        let notice = match (visit.query_param("done"), decided.booking.status) {
            (Some("confirmed"), BookingStatus::Confirmed) => Some("notice_confirmed"),
            (Some("declined"), BookingStatus::Declined) => Some("notice_declined"),
            _ => None,
        };
        let facts = Facts { notice, ..facts(&decided, format!("./{}", visit.token)) };
        html::page(StatusCode::OK, "decide.html.j2", decided.locale, &facts)
    }
}
