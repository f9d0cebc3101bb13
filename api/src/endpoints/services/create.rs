use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{
    services::{self, ServiceDisplay, ServiceSpec},
    types::Note,
};
use uuid::Uuid;

use super::reminders;
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::Body,
        problem::Problem,
        reply::Created,
        values::{IdempotencyKey, LabelText, NoteText},
    },
    state::State,
    views::{ReminderRule, Service, Translations},
};

/// A new service.
#[derive(Debug, Object)]
pub struct ServiceRequest {
    /// Name shown to customers.
    name: LabelText,
    /// Plain text shown to customers; empty when absent.
    description: Option<NoteText>,
    /// Length of the appointment in elapsed minutes.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    duration_min: u32,
    /// Minutes from one start to the next, counted from each opening; the duration when absent.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    slot_step_min: Option<u32>,
    /// Minutes kept free before the appointment; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    buffer_before_min: Option<u32>,
    /// Minutes kept free after the appointment; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    buffer_after_min: Option<u32>,
    /// Seats; 1 is a one-to-one service; 1 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    capacity: Option<u32>,
    /// Least minutes between a booking and its start; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    min_notice_min: Option<u32>,
    /// How many days ahead can be booked; 90 when absent.
    #[oai(validator(minimum(value = "1"), maximum(value = "730")))]
    horizon_days: Option<u32>,
    /// Customers may cancel until this many minutes before the start; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    cancel_notice_min: Option<u32>,
    /// Customers may move until this many minutes before the start; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    reschedule_notice_min: Option<u32>,
    /// Whether a booking is pending until staff confirm it; no when absent.
    requires_confirmation: Option<bool>,
    /// Price in the currency's minor unit, such as cents; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    price_minor: Option<i64>,
    /// Whether it takes new bookings; yes when absent.
    active: Option<bool>,
    /// When customers are reminded; never when absent.
    #[oai(validator(max_items = 5))]
    reminders: Option<Vec<ReminderRule>>,
    /// Staff who perform it; none when absent.
    #[oai(validator(max_items = 50, unique_items))]
    staff_ids: Option<Vec<Uuid>>,
    /// Heading under which it is listed; none when absent.
    category: Option<LabelText>,
    /// Position in lists, ascending; 0 when absent.
    #[oai(validator(minimum(value = "0"), maximum(value = "10000")))]
    position: Option<u32>,
    /// Its texts by language.
    translations: Option<Translations>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createService", Access::ADMIN)
    .problems(problems::MAKE)
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateService;

#[OpenApi]
impl CreateService {
    /// Create a service
    ///
    /// With its duration, price, staff and reminders.
    #[oai(path = "/v1/services", method = "post", operation_id = "createService", tag = "Tag::Catalogue")]
    async fn create_service(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each object: repeating the request with it creates nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<ServiceRequest>,
    ) -> Result<Created<Service>, Problem> {
        let spec = body.0.into_core()?;
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let created = services::create(&state.core, &caller.actor(), key.as_ref(), spec).await?;
        let (service, replayed) = (created.value, created.replayed);
        let (rev, path) = (service.rev, format!("/v1/services/{}", service.id));
        Ok(Created::new(Service::from(service)).rev(rev).location(&path).replayed(replayed))
    }
}

impl ServiceRequest {
    fn into_core(self) -> Result<ServiceSpec, Problem> {
        Ok(ServiceSpec {
            name: self.name.0,
            description: self.description.map_or_else(Note::empty, |text| text.0),
            duration_min: self.duration_min,
            slot_step_min: self.slot_step_min.unwrap_or(self.duration_min),
            buffer_before_min: self.buffer_before_min.unwrap_or(0),
            buffer_after_min: self.buffer_after_min.unwrap_or(0),
            capacity: self.capacity.unwrap_or(1),
            min_notice_min: self.min_notice_min.unwrap_or(0),
            horizon_days: self.horizon_days.unwrap_or(90),
            cancel_notice_min: self.cancel_notice_min.unwrap_or(0),
            reschedule_notice_min: self.reschedule_notice_min.unwrap_or(0),
            requires_confirmation: self.requires_confirmation.unwrap_or(false),
            price_minor: self.price_minor.unwrap_or(0),
            active: self.active.unwrap_or(true),
            reminders: reminders::parse(self.reminders.unwrap_or_default())?,
            staff_ids: self.staff_ids.unwrap_or_default(),
            display: ServiceDisplay {
                category: self.category.map(|text| text.0),
                position: self.position.unwrap_or(0),
                translations: self.translations.unwrap_or_default().into(),
            },
        })
    }
}
