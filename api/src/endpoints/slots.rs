use std::sync::Arc;

use bytes::Bytes;
use chrono::NaiveDate;
use poem::{
    Body, IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};
use poem_openapi::{ApiResponse, OpenApi, param::Header, registry::MetaResponses, registry::Registry};
use punctual_core::{
    Error, bookings,
    pool::again_if_cut,
    slots::{self, Page, SlotList, SlotQuery},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    auth::Caller,
    edge::Packed,
    endpoints::Tag,
    http::{
        etag,
        params::Query,
        problem::{Place, Problem},
        reply::Found,
    },
    state::State,
    views::Slots,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Default)]
pub struct ListSlots;

#[OpenApi]
impl ListSlots {
    /// List free slots
    ///
    /// The starts at which a service can be booked, on every civil date from `from` to `to` in the business's time
    /// zone, both included. What is listed can be booked at the same instant.
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
        /// A booking that is to be moved and so counts as free. It must be yours to read.
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

/// What core finds wrong stands in the query here, and a range is plain syntax.
fn of_query(error: Error) -> Problem {
    match error {
        Error::Invalid { pointer, error } => {
            Problem::invalid_at(Place::Query, pointer, error.code, error.message)
        }
        error => error.into(),
    }
}

/// A list of slots as it is sent, written once for all who ask for it.
#[derive(Debug)]
pub struct SlotsPage {
    body: Bytes,
    /// The body in gzip, once somebody wanted it so.
    packed: Packed,
    etag: HeaderValue,
}

impl SlotsPage {
    /// The opaque part of the `ETag`.
    fn tag(&self) -> &str {
        self.etag.to_str().ok().and_then(etag::opaque).unwrap_or_default()
    }
}

impl Page for SlotsPage {
    fn of(list: SlotList) -> Result<Self, Error> {
        let body = serde_json::to_vec(&Slots::from(list))
            .map_err(|error| Error::internal("slots cannot be written", error))?;
        let digest = Sha256::digest(&body);
        let tag = digest.iter().take(12).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
        let etag = HeaderValue::from_str(&format!("W/\"{tag}\""))
            .map_err(|error| Error::internal("an ETag cannot be written", error))?;
        Ok(Self { body: body.into(), packed: Packed::default(), etag })
    }

    /// Lists pack to less than half.
    fn bytes(&self) -> usize {
        self.body.len() * 3 / 2
    }
}

/// The list, or 304.
pub struct SlotsReply {
    page: Arc<SlotsPage>,
    known: bool,
}

impl IntoResponse for SlotsReply {
    fn into_response(self) -> Response {
        let mut response: Response = if self.known {
            StatusCode::NOT_MODIFIED.into()
        } else {
            let mut response = Response::from(Body::from_bytes(self.page.body.clone()));
            response.headers_mut().insert(header::CONTENT_TYPE, JSON);
            response.set_data(self.page.packed.clone());
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.page.etag.clone());
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
