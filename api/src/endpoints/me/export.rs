use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::privacy;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::PersonalData,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("exportMe", Access::ACCOUNT).current();

#[derive(Default)]
pub struct ExportMe;

#[OpenApi]
impl ExportMe {
    /// Get everything that is kept of you
    ///
    /// One document of all that is stored of the account's owner: the account and its sessions, the customers as whom it
    /// booked with what was chosen about reminders, every booking with its changes and its mails.
    #[oai(path = "/v1/me/export", method = "get", operation_id = "exportMe", tag = "Tag::Me")]
    async fn export_me(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<Found<PersonalData>, Problem> {
        let data = privacy::export(&state.core, caller.user_id()?).await?;
        Ok(Found::new(PersonalData::new(data, state.core.now())))
    }
}
