use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{Error, pool::again_if_cut, staff};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Staff,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getStaffMember", Access::Public)
    .problems(&[Code::NotFound])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct GetStaffMember;

#[OpenApi]
impl GetStaffMember {
    /// Get a member of staff
    ///
    /// One who takes no new bookings is shown to staff only.
    #[oai(path = "/v1/staff/:id", method = "get", operation_id = "getStaffMember", tag = "Tag::Catalogue")]
    async fn get_staff_member(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<Found<Staff>, Problem> {
        let (for_staff, member) =
            (caller.actor().is_staff(), again_if_cut(|| staff::get(&state.core, id.0)).await?);
        if !member.active && !for_staff {
            return Err(Error::NotFound("staff").into());
        }
        let rev = member.rev;
        Ok(Found::new(Staff::new(member, for_staff)).rev(rev))
    }
}
