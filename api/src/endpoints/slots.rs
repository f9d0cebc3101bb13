use std::sync::Arc;

use chrono::NaiveDate;
use poem::{
    IntoResponse, Response,
    http::{HeaderValue, header},
    web::Data,
};
use poem_openapi::{ApiResponse, OpenApi, param::Header, registry::MetaResponses, registry::Registry};
use punctual_core::{
    Error, bookings,
    pool::again_if_cut,
    slots::{self, Page, SlotQuery},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        etag,
        params::Query,
        problem::{Code, Place, Problem},
        reply::Found,
    },
    state::State,
    views::{Slots, SlotsPage},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listSlots", Access::Public).problems(&[Code::NotFound]).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct ListSlots;

#[OpenApi]
impl ListSlots {
    /// List free slots
    ///
    /// The starts at which a service can be booked on every civil date from `from` to `to`, inclusive, in the
    /// business's time zone. Every listed start can be booked at that instant.
    #[oai(path = "/v1/slots", method = "get", operation_id = "listSlots", tag = "Tag::Slots")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the operation")]
    async fn list_slots(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The service.
        service_id: Query<Uuid>,
        /// One member of staff; everyone who performs the service when absent.
        staff_id: Query<Option<Uuid>>,
        /// First date.
        from: Query<NaiveDate>,
        /// Last date, at most 30 days after the first.
        to: Query<NaiveDate>,
        /// Only starts with so many seats left with one member of staff; 1 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        seats: Query<Option<u32>>,
        /// A booking to be moved: its time counts as free. It must be yours to read.
        exclude_booking: Query<Option<Uuid>>,
        /// The `ETag` of an earlier answer: if nothing has changed the answer is 304 without a body.
        #[oai(name = "If-None-Match", validator(max_length = 200))]
        if_none_match: Header<Option<String>>,
    ) -> Result<SlotsReply, Problem> {
        if let Some(id) = exclude_booking.0 {
            let actor = caller.actor();
            Box::pin(again_if_cut(|| bookings::get(&state.core, &actor, id))).await?;
        }
        let query = SlotQuery {
            service_id: service_id.0,
            staff_id: staff_id.0,
            from: from.0,
            to: to.0,
            seats: seats.0.unwrap_or(1),
            exclude_booking: exclude_booking.0,
        };
        let page = match query.exclude_booking {
            None => state.slots.read(&state.core, &query).await,
            Some(_) => Box::pin(again_if_cut(|| slots::list(&state.core, &query)))
                .await
                .and_then(|list| SlotsPage::of(list).map(Arc::new)),
        };
        let page = page.map_err(of_query)?;
        let known = if_none_match.0.is_some_and(|field| etag::contains(&field, page.tag()));
        Ok(SlotsReply { page, known })
    }
}

/// Core reports errors in fields; here these are query parameters, and a wrong range is 400.
fn of_query(error: Error) -> Problem {
    match error {
        Error::Invalid { pointer, error } => {
            Problem::invalid_at(Place::Query, pointer, error.code, error.message)
        }
        error => error.into(),
    }
}

/// The list, or 304.
pub struct SlotsReply {
    page: Arc<SlotsPage>,
    known: bool,
}

impl IntoResponse for SlotsReply {
    fn into_response(self) -> Response {
        let mut response = if self.known { self.page.not_modified() } else { self.page.response() };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}

impl ApiResponse for SlotsReply {
    fn meta() -> MetaResponses {
        let mut meta = <Found<Slots> as ApiResponse>::meta();
        meta.responses.push(poem_openapi::registry::MetaResponse {
            description: "Nothing has changed since the answer with this `ETag`.",
            status: Some(304),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        });
        meta
    }

    fn register(registry: &mut Registry) {
        <Found<Slots> as ApiResponse>::register(registry);
    }
}
