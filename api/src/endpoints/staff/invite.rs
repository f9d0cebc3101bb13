use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::staff;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Accepted,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("inviteStaffMember", Access::ADMIN).problems(&[Code::NotFound, Code::Unprocessable]);

#[derive(Default)]
pub struct InviteStaffMember;

#[OpenApi]
impl InviteStaffMember {
    /// Invite a member of staff
    ///
    /// Gives them an account of the role `staff` by their `email` and mails a link that sets its password, good once and
    /// for a week. An account with this address becomes theirs; a customer's that never proved the address loses its
    /// password, for anybody could have made it. Invite them again for another link; take `user_id` from them to end it.
    #[oai(
        path = "/v1/staff/:id/invitation",
        method = "post",
        operation_id = "inviteStaffMember",
        tag = "Tag::Catalogue"
    )]
    async fn invite_staff_member(
        &self,
        Data(state): Data<&Arc<State>>,
        /// The member of staff.
        id: Path<Uuid>,
    ) -> Result<Accepted, Problem> {
        staff::invite(&state.core, id.0).await?;
        Ok(Accepted)
    }
}
