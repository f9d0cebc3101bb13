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
    /// Export your data
    ///
    /// All stored data of the account's owner in one document: the account and its sessions, its customers with their
    /// reminder choice, and every booking with its changes and mails.
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
