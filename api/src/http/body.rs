//! The JSON body of a request: read as a stream with a limit, checked against its published schema, then parsed.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use poem::{
    Request, RequestBody, Result,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::{MaybeUndefined, ParseFromJSON},
};
use serde_json::Value;

use crate::{
    http::problem::{Code, Place, Problem},
    schema::Checker,
    state::State,
};

/// Bytes that a body may have.
pub const LIMIT: usize = 64 * 1024;

/// Timeout for the rest of a refused body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum nesting, checked before parsing; no schema comes near.
const DEPTH: usize = 16;

/// Most bytes that are read and discarded of a body that is too large, so that its sender can read the answer.
const DISCARD: usize = 16 * 1024 * 1024;

/// A JSON body of at most 64 KiB. All its errors are reported at once, with JSON pointers and without values.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let schemas = state_of(request)?.schemas;
        let bytes = read(request, body).await?;
        Ok(Self(parse(schemas, &bytes)?))
    }
}

/// A JSON body that may be left out: without bytes it is the default.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<'a, T: ParseFromJSON + Default> ApiExtractor<'a> for OptionalBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let schemas = state_of(request)?.schemas;
        let body = body.take().map_err(|error| Problem::new(Code::InternalError).cause(error.to_string()))?;
        let bytes = whole(request, body, LIMIT).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        check_type(request.headers())?;
        Ok(Self(parse(schemas, &bytes)?))
    }
}

/// A field of a patch: `None` keeps it, `Some(None)` clears it.
#[expect(clippy::option_option, reason = "core's patches tell what stays from what is cleared so")]
pub fn change<T>(sent: MaybeUndefined<T>) -> Option<Option<T>> {
    match sent {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// Parses the bytes of a body.
fn parse<T: ParseFromJSON>(schemas: &Registry, bytes: &[u8]) -> Result<T, Problem> {
    let value = value_of(bytes)?;
    let mut checker = Checker::new(schemas, Place::Body);
    checker.check(&value, &T::schema_ref(), "");
    let faults = checker.finish();
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    // A body that fits its schema parses; any other error is reported without its text, which may quote the value.
    T::parse_from_json(Some(value))
        .map_err(|_| Problem::invalid_at(Place::Body, "", "format", "a value is not of the expected form"))
}

fn value_of(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Err(Problem::invalid_at(Place::Body, "", "required", "a JSON body is required"));
    }
    if too_deep(bytes) {
        return Err(Problem::invalid_at(Place::Body, "", "too_deep", "the JSON is nested too deep"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("not valid JSON at line {}, column {}", error.line(), error.column());
        Problem::invalid_at(Place::Body, "", "syntax", place)
    })
}

fn too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

async fn read(request: &Request, body: &mut RequestBody) -> Result<Vec<u8>, Problem> {
    check_type(request.headers())?;
    let body = body.take().map_err(|error| Problem::new(Code::InternalError).cause(error.to_string()))?;
    whole(request, body, LIMIT).await
}

/// All bytes of a body of at most `limit`.
///
/// # Errors
/// `content_too_large`, `request_timeout`, `invalid_request` when it is cut off.
pub async fn whole(request: &Request, body: poem::Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        discard(body);
        return Err(Problem::new(Code::ContentTooLarge));
    }
    // Two thirds of the request's time, so that a late body gets its own error before the request times out.
    let state = state_of(request)?;
    tokio::time::timeout(state.request_timeout() * 2 / 3, collect(body, limit))
        .await
        .unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout)))
}

fn state_of(request: &Request) -> Result<&Arc<State>, Problem> {
    request.data::<Arc<State>>().ok_or_else(|| Problem::new(Code::InternalError))
}

/// Refuses a body of an operation that takes none, so that nothing is silently ignored. An empty body, `{}` and `null` are
/// accepted, because some clients always send one.
///
/// # Errors
/// `invalid_request`; those of [`whole`].
pub async fn require_none(request: &mut Request) -> Result<(), Problem> {
    let headers = request.headers();
    let is_sent = headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    if !is_sent {
        return Ok(());
    }
    let body = request.take_body();
    let bytes = whole(request, body, LIMIT).await?;
    if matches!(bytes.trim_ascii(), b"" | b"{}" | b"null") {
        return Ok(());
    }
    Err(Problem::invalid_at(Place::Body, "", "unexpected", "this operation takes no body"))
}

async fn collect(body: poem::Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = Box::pin(body.into_bytes_stream());
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Problem::invalid_at(Place::Body, "", "truncated", "the body ended before its announced end")
        })?;
        if bytes.len() + chunk.len() > limit {
            discard(poem::Body::from_bytes_stream(stream));
            return Err(Problem::new(Code::ContentTooLarge));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Closing a socket with unread bytes resets it, and the answer may be lost: the rest is read and discarded while the
/// answer is sent, within limits.
fn discard(body: poem::Body) {
    tokio::spawn(tokio::time::timeout(READ_TIMEOUT, async move {
        let mut stream = Box::pin(body.into_bytes_stream());
        let mut left = DISCARD;
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    }));
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let coded = text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    let essence = text(header::CONTENT_TYPE).and_then(|value| value.split(';').next()).map(str::trim);
    let json = essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    if json && !coded { Ok(()) } else { Err(Problem::new(Code::UnsupportedMediaType)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(bytes: &[u8]) -> Vec<&'static str> {
        value_of(bytes).unwrap_err().facts.errors.into_iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place_and_without_its_text() {
        for bad in [&b"{"[..], b"{\"a\":hunter2}", b"\xff\xfe", b"{} {}", b"{\"a\":1,}"] {
            let problem = value_of(bad).unwrap_err();
            assert_eq!(
                (problem.facts.errors[0].code, problem.facts.errors[0].pointer.as_str()),
                ("syntax", "")
            );
            assert!(!format!("{problem:?}").contains("hunter2"));
        }
        assert_eq!(pointers(b""), ["required"]);
    }

    #[test]
    fn deep_nesting_is_refused_but_brackets_in_text_are_not_nesting() {
        assert_eq!(pointers("[".repeat(60_000).as_bytes()), ["too_deep"]);
        assert!(value_of(b"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\\" {{{\"}").is_ok());
        assert!(value_of(b"[[[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]]").is_ok());
    }

    #[test]
    fn only_plain_json_is_taken() {
        let of = |pairs: &[(header::HeaderName, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            check_type(&headers).map_err(|problem| problem.code)
        };
        assert_eq!(of(&[(header::CONTENT_TYPE, "application/json; charset=utf-8")]), Ok(()));
        assert_eq!(of(&[(header::CONTENT_TYPE, "Application/JSON")]), Ok(()));
        assert_eq!(of(&[]), Err(Code::UnsupportedMediaType));
        assert_eq!(of(&[(header::CONTENT_TYPE, "text/plain")]), Err(Code::UnsupportedMediaType));
        let gzip = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
        assert_eq!(of(&gzip), Err(Code::UnsupportedMediaType));
    }
}
