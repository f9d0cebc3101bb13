//! Every problem of the API: the table of codes, statuses and meanings.

use poem::http::StatusCode;

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $title:literal $meaning:literal)*) => {
        /// A problem's `code`: stable, additive.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, by status.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status it is sent with; each code has one.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// Short text that is the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// When it occurs and what to do.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidRequest "invalid_request" BAD_REQUEST "The request is not valid"
        "The body, a parameter or a header does not fit its schema. `errors` names every place."
    Unauthenticated "unauthenticated" UNAUTHORIZED "Log in first"
        "The operation needs an access token and none was sent."
    InvalidToken "invalid_token" UNAUTHORIZED "The access token is not valid"
        "The access token is malformed, expired or signed by a key that is no longer used: refresh it or log in. Or the API key is unknown, expired or revoked."
    SessionEnded "session_ended" UNAUTHORIZED "The session has ended"
        "The account was logged out everywhere or is gone. Log in."
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Wrong e-mail address or password"
        "No account has this e-mail address and password."
    InvalidRefreshToken "invalid_refresh_token" UNAUTHORIZED "The refresh token is not valid"
        "The refresh token is unknown, expired, revoked or was used before. Log in."
    Forbidden "forbidden" FORBIDDEN "Not allowed"
        "The account's role does not allow this operation."
    ScopeMissing "scope_missing" FORBIDDEN "The API key may not do this"
        "The API key lacks the scope of this operation, or no API key may call it. `detail` says which."
    NotFound "not_found" NOT_FOUND "Not found"
        "There is no such thing here, or it is not yours to see."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "The path exists, the method does not. `Allow` lists the methods."
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long to arrive"
        "The body did not arrive in time."
    SlotTaken "slot_taken" CONFLICT "The slot is taken"
        "Somebody else booked the slot. `alternatives` holds up to three that are free."
    SeriesConflict "series_conflict" CONFLICT "Not all of the series is free"
        "Occurrences of the series have no place, and nothing was changed. `occurrences` says of each which one and why, with free slots near it. Send other times, or `mode`: `available`."
    InvalidTransition "invalid_transition" CONFLICT "The booking does not allow this"
        "The booking's status does not allow the action. `allowed` lists those it allows."
    HasBookings "has_bookings" CONFLICT "Bookings stand in the way"
        "Bookings that stand would be affected. `booking_ids` lists them; cancel them first."
    LastAdmin "last_admin" CONFLICT "The last administrator stays"
        "The account is the only one that may run the business. Make another administrator first."
    NotResendable "not_resendable" CONFLICT "The mail cannot be sent again"
        "Only a mail that failed or is in doubt is sent again, and only while it still tells the truth. `detail` says why not."
    JobNotEligible "job_not_eligible" CONFLICT "The job does not allow this"
        "A job that runs cannot be retried, nor one whose unique key another live job has; a job that has ended cannot be cancelled or discarded. `detail` says which."
    EmailTaken "email_taken" CONFLICT "The e-mail address has an account"
        "Another account has this e-mail address. Log in instead."
    IdempotencyInProgress "idempotency_in_progress" CONFLICT "The same request is in progress"
        "A request with the same Idempotency-Key has not finished. Repeat it after `Retry-After`."
    HoldExpired "hold_expired" GONE "The hold has expired"
        "The hold ran out before it was booked. Hold or book another slot."
    CursorExpired "cursor_expired" GONE "The cursor is too old"
        "Events after the cursor have been removed. Read what you need anew, then begin without a cursor."
    LinkVoid "link_void" GONE "The link is void"
        "The link was used before or has expired, or it is not one of ours. Ask for a new one."
    PreconditionFailed "precondition_failed" PRECONDITION_FAILED "It has changed since you read it"
        "`If-Match` names another revision than the current one. Read it again."
    ContentTooLarge "content_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "A JSON body has at most 64 KiB, a picture at most 200 KiB."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is not JSON"
        "A request's body is sent as `Content-Type: application/json`, without a content coding."
    Unprocessable "unprocessable" UNPROCESSABLE_ENTITY "A value is not acceptable"
        "The request fits its schema and yet a value cannot be used. `errors` names it."
    StartInPast "start_in_past" UNPROCESSABLE_ENTITY "The start is in the past"
        "Appointments begin in the future."
    TooSoon "too_soon" UNPROCESSABLE_ENTITY "The start is too soon"
        "The start is nearer than the service's notice."
    TooFar "too_far" UNPROCESSABLE_ENTITY "The start is too far ahead"
        "The start lies beyond the service's horizon."
    OutsideHours "outside_hours" UNPROCESSABLE_ENTITY "Outside of opening hours"
        "The appointment does not lie within open hours of the member of staff."
    OffGrid "off_grid" UNPROCESSABLE_ENTITY "The start is not a slot"
        "The start is not one of those that `GET /v1/slots` lists."
    NoticePassed "notice_passed" UNPROCESSABLE_ENTITY "It is too late for this change"
        "The time until which customers may cancel or move has passed. Call the business."
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The Idempotency-Key was used for another request"
        "The same Idempotency-Key came with another body. Use a new key for a new request."
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The request's head is too large"
        "Path and headers together have at most 16 KiB and 64 fields. The connection is closed."
    PreconditionRequired "precondition_required" PRECONDITION_REQUIRED "If-Match is required"
        "Send the `rev` you read as `If-Match`, or `*` for any."
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
        "A limit was reached. Repeat the request after `Retry-After`."
    InternalError "internal_error" INTERNAL_SERVER_ERROR "Something went wrong on our side"
        "A fault of the server. `instance` finds it in the logs."
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Not available right now"
        "The server cannot reach its database or is stopping. Repeat the request after `Retry-After`."
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Too busy right now"
        "Too many requests wait for the same thing. Repeat the request after `Retry-After`."
}
