//! Liveness and readiness of this process.

use std::{sync::Arc, time::Duration};

use poem::{Request, Response};
use punctual_core::pool;

use crate::{
    http::problem::{Code, Problem},
    state::State,
};

/// Timeout of the readiness check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Liveness: answers as long as requests are handled.
pub async fn alive(_: Request) -> Result<Response, Problem> {
    Ok(ok())
}

/// Readiness: the process is not stopping and the database can take bookings.
pub async fn ready(request: Request) -> Result<Response, Problem> {
    let unavailable = |detail: &'static str| {
        Problem::new(Code::Unavailable).detail(detail).retry_after(Duration::from_secs(1))
    };
    let state = request.data::<Arc<State>>().ok_or_else(|| Problem::new(Code::InternalError))?;
    if state.is_draining() {
        return Err(unavailable("The server is stopping."));
    }
    match tokio::time::timeout(CHECK_TIMEOUT, pool::check_ready(&state.core.pool)).await {
        Ok(Ok(())) => Ok(ok()),
        Ok(Err(_)) | Err(_) => Err(unavailable("The database is not available.")),
    }
}

fn ok() -> Response {
    Response::builder().content_type("application/json").body(r#"{"status":"ok"}"#)
}
