use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{pool::again_if_cut, staff, users};

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{problem::Problem, reply::Found},
    state::State,
    views::Account,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("getMe", Access::ACCOUNT);

#[derive(Default)]
pub struct GetMe;

#[OpenApi]
impl GetMe {
    /// Get your account
    ///
    /// The account that the access token is for.
    #[oai(path = "/v1/me", method = "get", operation_id = "getMe", tag = "Tag::Me")]
    async fn get_me(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<Found<Account>, Problem> {
        let id = caller.user_id()?;
        let user = again_if_cut(|| users::get(&state.core.pool, id)).await?;
        let staff_id = again_if_cut(|| staff::of_account(&state.core.pool, id)).await?;
        Ok(Found::new(Account { staff_id, ..Account::from(user) }))
    }
}
