use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    types::MaybeUndefined,
};
use punctual_core::services::{self, ServicePatch};
use uuid::Uuid;

use super::reminders;
use crate::{
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::{Body, change},
        etag,
        problem::Problem,
        reply::Found,
        values::{LabelText, NoteText},
    },
    state::State,
    views::{ReminderRule, Service, StrandedBooking, Translations},
};

/// Fields to change; an absent field is kept.
#[derive(Debug, Object)]
pub struct ServicePatchRequest {
    /// Name shown to customers.
    name: Option<LabelText>,
    /// Plain text shown to customers.
    description: Option<NoteText>,
    /// Length of the appointment in elapsed minutes.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    duration_min: Option<u32>,
    /// Minutes from one start to the next, counted from each opening.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    slot_step_min: Option<u32>,
    /// Minutes kept free before the appointment.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    buffer_before_min: Option<u32>,
    /// Minutes kept free after the appointment.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    buffer_after_min: Option<u32>,
    /// Seats; 1 is a one-to-one service.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    capacity: Option<u32>,
    /// Least minutes between a booking and its start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    min_notice_min: Option<u32>,
    /// How many days ahead can be booked.
    #[oai(validator(minimum(value = "1"), maximum(value = "730")))]
    horizon_days: Option<u32>,
    /// Customers may cancel until this many minutes before the start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    cancel_notice_min: Option<u32>,
    /// Customers may move until this many minutes before the start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    reschedule_notice_min: Option<u32>,
    /// Whether a booking is pending until staff confirm it.
    requires_confirmation: Option<bool>,
    /// Price in the currency's minor unit, such as cents.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    price_minor: Option<i64>,
    /// Whether it takes new bookings.
    active: Option<bool>,
    /// When customers are reminded.
    #[oai(validator(max_items = 5))]
    reminders: Option<Vec<ReminderRule>>,
    /// Who performs it.
    #[oai(validator(max_items = 50, unique_items))]
    staff_ids: Option<Vec<Uuid>>,
    /// Heading under which it is listed; null: none.
    #[oai(nullable)]
    category: MaybeUndefined<LabelText>,
    /// Position in lists, ascending.
    #[oai(validator(minimum(value = "0"), maximum(value = "10000")))]
    position: Option<u32>,
    /// Its texts by language; replaced as a whole.
    translations: Option<Translations>,
}

/// The service, and bookings that no longer fit after its change.
#[derive(Debug, Object, serde::Serialize)]
pub struct ServiceChanged {
    /// The service.
    service: Service,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("updateService", Access::ADMIN).problems(problems::EDIT).headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateService;

#[OpenApi]
impl UpdateService {
    /// Change a service
    ///
    /// Bookings keep their promised terms. The answer lists those that no longer fit; they are not changed.
    #[oai(
        path = "/v1/services/:id",
        method = "patch",
        operation_id = "updateService",
        tag = "Tag::Catalogue"
    )]
    async fn update_service(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The service.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<ServicePatchRequest>,
    ) -> Result<Found<ServiceChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let changed = services::update(&state.core, id.0, expected, body.0.into_core()?).await?;
        let rev = changed.value.rev;
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        Ok(Found::new(ServiceChanged { service: Service::from(changed.value), stranded }).rev(rev))
    }
}

impl ServicePatchRequest {
    fn into_core(self) -> Result<ServicePatch, Problem> {
        Ok(ServicePatch {
            name: self.name.map(|name| name.0),
            description: self.description.map(|text| text.0),
            duration_min: self.duration_min,
            slot_step_min: self.slot_step_min,
            buffer_before_min: self.buffer_before_min,
            buffer_after_min: self.buffer_after_min,
            capacity: self.capacity,
            min_notice_min: self.min_notice_min,
            horizon_days: self.horizon_days,
            cancel_notice_min: self.cancel_notice_min,
            reschedule_notice_min: self.reschedule_notice_min,
            requires_confirmation: self.requires_confirmation,
            price_minor: self.price_minor,
            active: self.active,
            reminders: self.reminders.map(reminders::parse).transpose()?,
            staff_ids: self.staff_ids,
            category: change(self.category).map(|category| category.map(|text| text.0)),
            position: self.position,
            translations: self.translations.map(Into::into),
        })
    }
}
