use poem::{Response, http::header};
use punctual_core::sessions;

use super::{AdminVisit, OpsPage, session::OPS};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/ops/logout`
pub struct Logout;

impl OpsPage for Logout {
    const OPERATION: &'static Operation = &named("opsLogout");
    const PATTERN: &'static str = "/ops/logout";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        Ok(admin.go("ops"))
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        sessions::logout(&core.pool, core.now(), &admin.token.hash()).await?;
        let mut response = admin.go("ops/login");
        response.headers_mut().insert(header::SET_COOKIE, OPS.clear_cookie());
        Ok(response)
    }
}
