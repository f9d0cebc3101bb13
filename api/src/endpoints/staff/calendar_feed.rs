use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::{
    feeds,
    links::{Link, Purpose},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Created,
    },
    state::State,
};

/// A calendar feed.
#[derive(Debug, Object, Serialize)]
pub struct CalendarFeed {
    /// Its secret URL, shown only in this answer.
    #[oai(validator(max_length = 2000))]
    url: String,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("renewCalendarFeed", Access::STAFF).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct RenewCalendarFeed;

#[OpenApi]
impl RenewCalendarFeed {
    /// Create a calendar feed
    ///
    /// A secret URL for calendar programs; the earlier one becomes void. For administrators and that member of staff.
    #[oai(
        path = "/v1/staff/:id/calendar-feed",
        method = "post",
        operation_id = "renewCalendarFeed",
        tag = "Tag::Catalogue"
    )]
    async fn renew_calendar_feed(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<Created<CalendarFeed>, Problem> {
        let epoch = feeds::renew(&state.core, &caller.actor(), id.0).await?;
        let link = Link { purpose: Purpose::Feed, id: id.0, epoch };
        Ok(Created::new(CalendarFeed { url: link.url(&state.links, &state.public_url) }))
    }
}
