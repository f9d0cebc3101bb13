use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::staff::{self, NewStaff};
use uuid::Uuid;

use crate::{
    body::Body,
    endpoints::Tag,
    problem::Problem,
    reply::Created,
    state::State,
    values::{Email, Name},
    views::Staff,
};

/// A member of staff to be.
#[derive(Debug, Object)]
pub struct StaffRequest {
    /// Name shown to customers.
    name: Name,
    /// Where mails about own bookings go; none are sent when absent.
    email: Option<Email>,
    /// Their account.
    user_id: Option<Uuid>,
}

#[derive(Default)]
pub struct CreateStaffMember;

#[OpenApi]
impl CreateStaffMember {
    /// Add a member of staff
    ///
    /// Active, without hours and services: put the hours next, and name them in `staff_ids` of services.
    #[oai(path = "/v1/staff", method = "post", operation_id = "createStaffMember", tag = "Tag::Catalogue")]
    async fn create_staff_member(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<StaffRequest>,
    ) -> Result<Created<Staff>, Problem> {
        let StaffRequest { name, email, user_id } = body.0;
        let new = NewStaff { name: name.0, email: email.map(|email| email.0), user_id };
        let member = staff::create(&state.core, new).await?;
        let (rev, path) = (member.rev, format!("/v1/staff/{}", member.id));
        Ok(Created::new(Staff::new(member, true)).rev(rev).location(&path))
    }
}
