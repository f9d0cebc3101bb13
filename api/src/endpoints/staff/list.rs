use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{pool::again_if_cut, staff};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
    views::Staff,
};

/// Staff by name.
#[derive(Debug, Object, Serialize)]
pub struct StaffList {
    /// The members of staff.
    #[oai(validator(max_items = 10000))]
    data: Vec<Staff>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listStaff", Access::Public).problems(&[Code::Forbidden]);

#[derive(Default)]
pub struct ListStaff;

#[OpenApi]
impl ListStaff {
    /// List staff
    ///
    /// Members of staff by name.
    #[oai(path = "/v1/staff", method = "get", operation_id = "listStaff", tag = "Tag::Catalogue")]
    async fn list_staff(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Those who perform this service.
        service_id: Query<Option<Uuid>>,
        /// For staff: also inactive ones.
        include_inactive: Query<Option<bool>>,
    ) -> Result<Found<StaffList>, Problem> {
        let (for_staff, include_inactive) = (caller.actor().is_staff(), include_inactive.0.unwrap_or(false));
        if include_inactive && !for_staff {
            return Err(Problem::new(Code::Forbidden).detail("include_inactive is for staff."));
        }
        let members = again_if_cut(|| staff::list(&state.core, service_id.0, include_inactive)).await?;
        let data = members.into_iter().map(|member| Staff::new(member, for_staff)).collect();
        Ok(Found::new(StaffList { data }))
    }
}
