//! Whether this process lives, and whether it wants requests.

use std::{sync::Arc, time::Duration};

use poem::{Request, Response};
use sqlx::{Connection, PgPool};

use crate::{
    http::problem::{Code, Problem},
    state::State,
};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// It lives: this answers as long as requests are handled at all.
pub async fn alive(_: Request) -> Result<Response, Problem> {
    Ok(ok())
}

/// It wants requests: it is not stopping, and the database answers.
pub async fn ready(request: Request) -> Result<Response, Problem> {
    let unavailable = |detail: &'static str| {
        Problem::new(Code::Unavailable).detail(detail).retry_after(Duration::from_secs(1))
    };
    let state = request.data::<Arc<State>>().ok_or_else(|| Problem::new(Code::InternalError))?;
    if state.is_draining() {
        return Err(unavailable("The server is stopping."));
    }
    match tokio::time::timeout(PATIENCE, answers(&state.core.pool)).await {
        Ok(Ok(())) => Ok(ok()),
        Ok(Err(_)) | Err(_) => Err(unavailable("The database does not answer.")),
    }
}

async fn answers(pool: &PgPool) -> Result<(), sqlx::Error> {
    pool.acquire().await?.ping().await
}

fn ok() -> Response {
    Response::builder().content_type("application/json").body(r#"{"status":"ok"}"#)
}
