use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::api_keys::{self, NewApiKey};

use crate::{
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Problem},
        reply::Created,
        values::LabelText,
    },
    state::State,
    views::{ApiKey, ApiKeyScope, ApiKeyWithSecret},
};

/// A new API key.
#[derive(Debug, Object)]
pub struct ApiKeyRequest {
    /// What it is for.
    name: LabelText,
    /// What it may do. Write includes read.
    #[oai(validator(min_items = 1, max_items = 20, unique_items))]
    scopes: Vec<ApiKeyScope>,
    /// When it expires; never when absent.
    expires_at: Option<DateTime<FixedOffset>>,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("createApiKey", Access::ADMIN).problems(&[Code::Unprocessable]);

#[derive(Default)]
pub struct CreateApiKey;

#[OpenApi]
impl CreateApiKey {
    /// Create an API key
    ///
    /// For a program, which sends the key as `Authorization: Bearer`, like an access token. The key is shown only in this
    /// answer.
    #[oai(path = "/v1/api-keys", method = "post", operation_id = "createApiKey", tag = "Tag::Auth")]
    async fn create_api_key(
        &self,
        Data(state): Data<&Arc<State>>,
        body: Body<ApiKeyRequest>,
    ) -> Result<Created<ApiKeyWithSecret>, Problem> {
        let new = NewApiKey {
            name: body.0.name.0,
            scopes: body.0.scopes.into_iter().map(Into::into).collect(),
            expires_at: body.0.expires_at.map(|at| at.to_utc()),
        };
        let (api_key, secret) = api_keys::create(&state.core, new, rand::random()).await?;
        Ok(Created::new(ApiKeyWithSecret { api_key: ApiKey::from(api_key), key: secret.display() }))
    }
}
