use poem::{IntoResponse, Response};
use punctual_core::{
    Error, feeds,
    links::{Link, Purpose},
};

use super::{Page, named, visit::Visit};
use crate::{contract::Operation, http::problem::Problem, views::calendar_file::CalendarFile};

/// `/f/{token}.ics`: the calendar feed of a member of staff.
pub struct Feed;

impl Page for Feed {
    const OPERATION: &'static Operation = &named("calendarFeed");
    const PATTERN: &'static str = "/f/{token}.ics";
    const POSTS: bool = false;

    async fn show(mut visit: Visit) -> Result<Response, Problem> {
        // The router includes the extension in the parameter.
        let token = visit.token.strip_suffix(".ics").ok_or(Error::NotFound("feed"))?.to_owned();
        visit.token = token;
        let Link { id, epoch, .. } = visit.link(Purpose::Feed)?;
        let feed = feeds::of_staff(&visit.state.core, id, epoch).await?;
        Ok(CalendarFile::of_feed(&feed).unless_known(&visit.headers).into_response())
    }
}
