use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::staff::{self, NewStaff};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader, problems},
    endpoints::Tag,
    http::{
        body::Body,
        problem::Problem,
        reply::Created,
        values::{Email, IdempotencyKey, Name},
    },
    state::State,
    views::Staff,
};

/// Input for a new member of staff.
#[derive(Debug, Object)]
pub struct StaffRequest {
    /// Name shown to customers.
    name: Name,
    /// Address for mails about their bookings; absent: none.
    email: Option<Email>,
    /// Their account.
    user_id: Option<Uuid>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createStaffMember", Access::ADMIN)
    .problems(problems::MAKE)
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed]);

#[derive(Default)]
pub struct CreateStaffMember;

#[OpenApi]
impl CreateStaffMember {
    /// Add a member of staff
    ///
    /// Active, without hours and services: set the hours next, and add them to `staff_ids` of services.
    #[oai(path = "/v1/staff", method = "post", operation_id = "createStaffMember", tag = "Tag::Catalogue")]
    async fn create_staff_member(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// A key of your choice, new for each object: repeating the request with it creates nothing twice.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<IdempotencyKey>>,
        body: Body<StaffRequest>,
    ) -> Result<Created<Staff>, Problem> {
        let StaffRequest { name, email, user_id } = body.0;
        let new = NewStaff { name: name.0, email: email.map(|email| email.0), user_id };
        let key = key.0.map(|key| key.parsed()).transpose()?;
        let created = staff::create(&state.core, &caller.actor(), key.as_ref(), new).await?;
        let (member, replayed) = (created.value, created.replayed);
        let (rev, path) = (member.rev, format!("/v1/staff/{}", member.id));
        Ok(Created::new(Staff::new(member, true)).rev(rev).location(&path).replayed(replayed))
    }
}
