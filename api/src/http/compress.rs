//! gzip (RFC 1952) of text answers that are in memory and large enough.

use std::{
    io::Write,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::body::Body as _;
use poem::{
    Body, Response,
    http::{HeaderMap, HeaderValue, header},
};

/// Smaller answers fit into a packet.
const MIN_SIZE: u64 = 1024;

/// Whether the request accepts gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    accepted(headers.get_all(header::ACCEPT_ENCODING).iter())
}

/// Whether an `Accept-Encoding` field accepts gzip (RFC 9110 §12.5.3).
fn accepted<'a>(fields: impl Iterator<Item = &'a HeaderValue>) -> bool {
    let mut any = None;
    for item in fields.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused =
            weight.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        match coding.trim() {
            coding if coding.eq_ignore_ascii_case("gzip") => return !refused,
            "*" => any = Some(!refused),
            _ => {}
        }
    }
    any.unwrap_or(false)
}

/// The length of a body that is whole in memory.
pub fn exact_length(body: Body) -> Option<u64> {
    length(&body.into())
}

fn length(body: &http_body_util::combinators::BoxBody<bytes::Bytes, std::io::Error>) -> Option<u64> {
    body.size_hint().exact()
}

/// The answer in gzip, if accepted and worthwhile.
pub async fn gzip(mut response: Response, accepted: bool) -> Response {
    let is_text = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json") || value.starts_with("text/"));
    if !is_text || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !accepted {
        return response;
    }
    let body = response.take_body().into();
    if length(&body).is_none_or(|length| length < MIN_SIZE) {
        response.set_body(Body::from(body));
        return response;
    }
    let Ok(bytes) = Body::from(body).into_bytes().await else { return response };
    let packed = match response.data::<CachedGzip>() {
        Some(kept) => kept.0.get_or_init(|| pack(&bytes)).clone(),
        None => pack(&bytes),
    };
    match packed {
        Some(packed) => {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.set_body(packed);
        }
        None => response.set_body(bytes),
    }
    response
}

/// The compressed body of an answer that is sent many times: stored in its data, it is compressed once.
#[derive(Debug, Clone, Default)]
pub struct CachedGzip(Arc<OnceLock<Option<Bytes>>>);

fn pack(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(mut packed) => {
            packed.shrink_to_fit();
            Some(packed.into())
        }
        Err(error) => {
            tracing::warn!(%error, "an answer could not be compressed");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |values: &[&'static str]| {
            let values: Vec<_> = values.iter().map(|value| HeaderValue::from_static(value)).collect();
            accepted(values.iter())
        };
        assert!(takes(&["gzip"]) && takes(&["br, GZIP;q=0.5"]) && takes(&["*"]) && takes(&["br", "gzip"]));
        assert!(!takes(&[]) && !takes(&["br"]) && !takes(&["gzip;q=0"]) && !takes(&["*, gzip; q=0"]));
    }
}
