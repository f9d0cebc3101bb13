//! Answers that are a success.

use poem::{
    IntoResponse, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};
use punctual_core::types::Rev;
use serde::Serialize;

/// Marks the stored answer of an earlier request with the same Idempotency-Key.
pub const IDEMPOTENCY_REPLAYED: header::HeaderName = header::HeaderName::from_static("idempotency-replayed");

/// A JSON body with status `STATUS`. The operation's declaration lists its headers.
#[derive(Debug)]
pub struct Reply<const STATUS: u16, T> {
    body: T,
    headers: HeaderMap,
}

/// 200 with a JSON body.
pub type Found<T> = Reply<200, T>;

/// 201 with a JSON body.
pub type Created<T> = Reply<201, T>;

impl<const STATUS: u16, T> Reply<STATUS, T> {
    /// The body alone.
    #[must_use]
    pub fn new(body: T) -> Self {
        Self { body, headers: HeaderMap::new() }
    }

    /// With the revision as a weak entity tag.
    #[must_use]
    pub fn rev(self, rev: Rev) -> Self {
        self.header(header::ETAG, &format!("W/\"{rev}\""))
    }

    /// With the path of the created object.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        self.header(header::LOCATION, path)
    }

    /// Marks a stored answer.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header(IDEMPOTENCY_REPLAYED, "true") } else { self }
    }

    fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl<const STATUS: u16, T: Serialize + Send> IntoResponse for Reply<STATUS, T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(&self.body) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                return StatusCode::INTERNAL_SERVER_ERROR.into();
            }
        };
        let status = StatusCode::from_u16(STATUS).unwrap_or(StatusCode::OK);
        let mut response = Response::builder().status(status).content_type("application/json").body(body);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl<const STATUS: u16, T: Type + Serialize> ApiResponse for Reply<STATUS, T> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Done.",
                status: Some(STATUS),
                status_range: None,
                content,
                headers: Vec::new(),
            }],
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// One of two successes, which differ in status.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The usual one.
    First(A),
    /// The other one.
    Second(B),
}

impl<A: IntoResponse, B: IntoResponse> IntoResponse for Either<A, B> {
    fn into_response(self) -> Response {
        match self {
            Self::First(first) => first.into_response(),
            Self::Second(second) => second.into_response(),
        }
    }
}

impl<A: ApiResponse, B: ApiResponse> ApiResponse for Either<A, B> {
    fn meta() -> MetaResponses {
        let mut responses = A::meta().responses;
        responses.extend(B::meta().responses);
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        B::register(registry);
    }
}

macro_rules! empty {
    ($(#[$doc:meta])* $name:ident, $status:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                StatusCode::$status.into()
            }
        }

        impl ApiResponse for $name {
            fn meta() -> MetaResponses {
                MetaResponses {
                    responses: vec![MetaResponse {
                        description: "Done.",
                        status: Some(StatusCode::$status.as_u16()),
                        status_range: None,
                        content: Vec::new(),
                        headers: Vec::new(),
                    }],
                }
            }

            fn register(_: &mut Registry) {}
        }
    };
}

empty! {
    /// 204: done, without a body.
    NoContent, NO_CONTENT
}
empty! {
    /// 202: it will be done, if there is anything to do.
    Accepted, ACCEPTED
}
