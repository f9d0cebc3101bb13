use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    changes::{self, Position},
    pool::again_if_cut,
    types::PageSize,
};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Place, Problem},
        reply::Found,
        values::FeedCursor,
    },
    state::State,
    views::{EventFeed, EventType, types_of},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listEvents", Access::STAFF).problems(&[Code::CursorExpired]);

#[derive(Default)]
pub struct ListEvents;

#[OpenApi]
impl ListEvents {
    /// Read the feed of events
    ///
    /// Keep `next_cursor` and pass it as `after`: a program then sees each event once and misses none. An event can be read
    /// once every write that began before its own has ended. Events of bookings are kept as long as their bookings, others
    /// for 30 days.
    #[oai(path = "/v1/events", method = "get", operation_id = "listEvents", tag = "Tag::Events")]
    async fn list_events(
        &self,
        Data(state): Data<&Arc<State>>,
        /// `next_cursor` of an earlier answer; when absent, from the first stored event.
        after: Query<Option<FeedCursor>>,
        /// Only events of these types; all when absent.
        #[oai(validator(max_items = 20))]
        types: Query<Option<Vec<EventType>>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
    ) -> Result<Found<EventFeed>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let after = after.0.map_or(Position::START, |cursor| cursor.0);
        let types = types_of(types.0);
        let page = again_if_cut(|| changes::list(&state.core.pool, after, &types, limit)).await?;
        Ok(Found::new(page.into()))
    }
}
