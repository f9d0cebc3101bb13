use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    types::MaybeUndefined,
};
use punctual_core::staff::{self, StaffPatch};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::{Body, change},
        etag,
        problem::Problem,
        reply::Found,
        values::{AboutText, Email, Name},
    },
    state::State,
    views::{Staff, StaffRole, StrandedBooking},
};

/// Fields to change: an absent field is kept, null clears it.
#[derive(Debug, Object)]
pub struct StaffPatchRequest {
    /// New name.
    name: Option<Name>,
    /// New address for mails about own bookings; null: none are sent.
    #[oai(nullable)]
    email: MaybeUndefined<Email>,
    /// New account; null: none.
    #[oai(nullable)]
    user_id: MaybeUndefined<Uuid>,
    /// New sentence about them; empty: none.
    about: Option<AboutText>,
    /// Whether they take new bookings.
    active: Option<bool>,
    /// Role of their account; administrators keep theirs.
    role: Option<StaffRole>,
}

/// The member of staff, and bookings that no longer fit after the change.
#[derive(Debug, Object, Serialize)]
pub struct StaffChanged {
    /// The member of staff.
    staff: Staff,
    /// Bookings that no longer fit. They are not changed; staff decide.
    #[oai(validator(max_items = 100000))]
    stranded: Vec<StrandedBooking>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("updateStaffMember", Access::ADMIN)
    .problems(problems::EDIT)
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct UpdateStaffMember;

#[OpenApi]
impl UpdateStaffMember {
    /// Change a member of staff
    ///
    /// The answer lists future bookings that no longer fit, such as all those of an inactive one; they are not changed.
    #[oai(
        path = "/v1/staff/:id",
        method = "patch",
        operation_id = "updateStaffMember",
        tag = "Tag::Catalogue"
    )]
    async fn update_staff_member(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<StaffPatchRequest>,
    ) -> Result<Found<StaffChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let StaffPatchRequest { name, email, user_id, about, active, role } = body.0;
        let patch = StaffPatch {
            name: name.map(|name| name.0),
            email: change(email).map(|email| email.map(|email| email.0)),
            user_id: change(user_id),
            about: about.map(|text| text.0),
            active,
            role: role.map(Into::into),
        };
        let changed = staff::update(&state.core, id.0, expected, patch).await?;
        let rev = changed.value.rev;
        let stranded = changed.stranded.into_iter().map(StrandedBooking::from).collect();
        Ok(Found::new(StaffChanged { staff: Staff::new(changed.value, true), stranded }).rev(rev))
    }
}
