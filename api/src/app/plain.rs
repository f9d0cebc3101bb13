use std::future::Future;

use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode, header},
};

use crate::http::problem::Problem;

const ALLOW: &str = "GET, HEAD, OPTIONS";

/// A page outside the document: GET and HEAD only.
pub struct Plain<F>(pub F);

impl<F, Fut> Endpoint for Plain<F>
where
    F: Fn(Request) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Response, Problem>> + Send,
{
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        match *request.method() {
            Method::GET | Method::HEAD => Ok((self.0)(request).await?),
            Method::OPTIONS => {
                Ok(Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, ALLOW).finish())
            }
            _ => Err(Problem::method_not_allowed(ALLOW.to_owned()).into()),
        }
    }
}
