use poem::{
    Response,
    http::{HeaderMap, StatusCode, header},
};
use punctual_core::{
    Error,
    pictures::{self, Picture},
};
use uuid::Uuid;

use crate::{
    contract::Operation,
    http::etag,
    http::problem::Problem,
    pages::{Page, named, visit::Visit},
};

/// Policy of a picture that is opened directly: runs and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// `/look/logo`
pub struct Logo;

impl Page for Logo {
    const OPERATION: &'static Operation = &named("pageLogo");
    const PATTERN: &'static str = "/look/logo";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        answer(&visit, pictures::logo(&visit.state.core).await?)
    }
}

/// `/look/staff/{id}`
pub struct Photo;

impl Page for Photo {
    const OPERATION: &'static Operation = &named("pagePhoto");
    const PATTERN: &'static str = "/look/staff/{id}";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let id =
            visit.step(2).and_then(|text| Uuid::try_parse(text).ok()).ok_or(Error::NotFound("picture"))?;
        answer(&visit, pictures::photo(&visit.state.core, id).await?)
    }
}

/// The picture, or 304. A URL with the content's hash can be cached without limit.
fn answer(visit: &Visit, picture: Option<Picture>) -> Result<Response, Problem> {
    let picture = picture.ok_or(Error::NotFound("picture"))?;
    let named = visit.query_param("v") == Some(picture.tag.as_str());
    let kept = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let response = Response::builder()
        .header(header::CACHE_CONTROL, kept)
        .header(header::ETAG, format!("\"{}\"", picture.tag))
        .header(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(if is_known(&visit.headers, &picture.tag) {
        response.status(StatusCode::NOT_MODIFIED).finish()
    } else {
        response.content_type(picture.media_type.as_str()).body(picture.content)
    })
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let field = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    field.is_some_and(|field| etag::contains(field, tag))
}
