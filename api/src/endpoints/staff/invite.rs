use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::staff;
use uuid::Uuid;

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::OptionalBody,
        problem::{Code, Problem},
        reply::Accepted,
    },
    state::State,
    views::StaffRole,
};

/// Role of the account.
#[derive(Debug, Default, Object)]
pub struct InvitationRequest {
    /// Role of the account; absent: a new one gets `staff`, another one keeps its own. Administrators keep theirs.
    role: Option<StaffRole>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("inviteStaffMember", Access::ADMIN).problems(&[Code::NotFound, Code::Unprocessable]);

#[derive(Default)]
pub struct InviteStaffMember;

#[OpenApi]
impl InviteStaffMember {
    /// Invite a member of staff
    ///
    /// Creates an account with the role `staff` or `front_desk` for their `email` and mails a link that sets its password,
    /// valid once and for a week. An existing account with this address is used; if it was never verified, its password is
    /// removed, because anybody could have created it. Invite again for another link; set `user_id` to null to end it.
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
        body: OptionalBody<InvitationRequest>,
    ) -> Result<Accepted, Problem> {
        staff::invite(&state.core, id.0, body.0.role.map(Into::into)).await?;
        Ok(Accepted)
    }
}
