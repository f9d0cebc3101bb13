//! The body of a request that is a picture.

use poem::{Request, RequestBody, Result, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
};
use punctual_core::pictures::MAX_BYTES;

use super::{
    body::whole,
    problem::{Code, Problem},
};

/// PNG or SVG of at most 200 KiB, as it was sent.
#[derive(Debug)]
pub struct LogoBody(pub Vec<u8>);

/// PNG or JPEG of at most 200 KiB, as it was sent.
#[derive(Debug)]
pub struct PhotoBody(pub Vec<u8>);

const LOGO_TYPES: [&str; 2] = ["image/png", "image/svg+xml"];
const PHOTO_TYPES: [&str; 2] = ["image/png", "image/jpeg"];

macro_rules! image_body {
    ($name:ident, $types:ident) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

            type ParamType = ();
            type ParamRawType = ();

            fn register(_: &mut Registry) {}

            fn request_meta() -> Option<MetaRequest> {
                Some(meta(&$types))
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> Result<Self> {
                Ok(Self(read(request, body, &$types).await?))
            }
        }
    };
}

image_body!(LogoBody, LOGO_TYPES);
image_body!(PhotoBody, PHOTO_TYPES);

fn meta(types: &[&'static str]) -> MetaRequest {
    // No length: generators map bytes to types without one.
    let schema = || MetaSchema::new_with_format("string", "binary");
    let content = types.iter().map(|content_type| MetaMediaType {
        content_type,
        schema: MetaSchemaRef::Inline(Box::new(schema())),
    });
    MetaRequest { description: None, content: content.collect(), required: true }
}

async fn read(request: &Request, body: &mut RequestBody, types: &[&str]) -> Result<Vec<u8>, Problem> {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    if !types.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    let body = body.take().map_err(|error| Problem::new(Code::InternalError).cause(error.to_string()))?;
    whole(request, body, MAX_BYTES).await
}
