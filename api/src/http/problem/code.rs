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
        "The body, a parameter or a header does not match the schema. `errors` lists every place: correct them and send the request again."
    Unauthenticated "unauthenticated" UNAUTHORIZED "Log in first"
        "The operation needs an access token. Log in and send the token as `Authorization: Bearer`."
    InvalidToken "invalid_token" UNAUTHORIZED "The access token is not valid"
        "The access token is malformed, expired or signed with a removed key: refresh it or log in. Or the API key is unknown, expired or revoked."
    SessionEnded "session_ended" UNAUTHORIZED "The session has ended"
        "The account was logged out everywhere or deleted. Log in again."
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Wrong e-mail address or password"
        "No account has this e-mail address and password. Check both, or reset the password."
    InvalidRefreshToken "invalid_refresh_token" UNAUTHORIZED "The refresh token is not valid"
        "The refresh token is unknown, expired, revoked or already used. Log in again."
    Forbidden "forbidden" FORBIDDEN "Not allowed"
        "The role of the account does not allow this operation. An administrator can change the role."
    ScopeMissing "scope_missing" FORBIDDEN "The API key may not do this"
        "The API key has no scope for this operation, or no API key may call it. `detail` says which. Use a key with that scope, or log in."
    NotFound "not_found" NOT_FOUND "Not found"
        "The object does not exist, or the caller may not see it. Check the id and the account."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "The path does not support this method. `Allow` lists the supported ones."
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long to arrive"
        "The body did not arrive in time. Send the request again."
    SlotTaken "slot_taken" CONFLICT "The slot is taken"
        "The slot is booked or held. `alternatives` lists up to three free slots near it: choose one of them."
    SeriesConflict "series_conflict" CONFLICT "Not all of the series is free"
        "Some occurrences cannot be booked, so nothing was changed. `occurrences` lists all with the reason and free slots nearby. Send other times, or `mode`: `available` to skip them."
    VisitConflict "visit_conflict" CONFLICT "The visit does not fit"
        "A service of the visit cannot be booked, so nothing was. `conflict` names the service and the reason, `visits` lists up to three starts at which all fit: choose one of them."
    InvalidTransition "invalid_transition" CONFLICT "The booking does not allow this"
        "The booking's status does not allow this action. `allowed` lists the possible actions."
    HasBookings "has_bookings" CONFLICT "Active bookings prevent this"
        "Active bookings would be affected. Cancel those listed in `booking_ids` first."
    LastAdmin "last_admin" CONFLICT "The last administrator cannot be removed"
        "This account is the only administrator. Make another account an administrator first."
    NotResendable "not_resendable" CONFLICT "The mail cannot be sent again"
        "Only a mail that failed or is in doubt can be sent again, and only while its content is still correct. `detail` gives the reason."
    JobNotEligible "job_not_eligible" CONFLICT "The job does not allow this"
        "A running job cannot be retried, nor one whose unique key belongs to another active job. An ended job cannot be cancelled or discarded. `detail` gives the reason."
    EmailTaken "email_taken" CONFLICT "The e-mail address has an account"
        "An account with this e-mail address exists. Log in, or reset its password."
    IdempotencyInProgress "idempotency_in_progress" CONFLICT "The same request is in progress"
        "A request with the same Idempotency-Key is still running. Repeat the request after `Retry-After`."
    HoldExpired "hold_expired" GONE "The hold has expired"
        "The hold expired before it was booked. Hold or book a slot again."
    CursorExpired "cursor_expired" GONE "The cursor is too old"
        "Events after the cursor have been deleted. Read the current state, then start again without a cursor."
    LinkVoid "link_void" GONE "The link is void"
        "The link was used before, has expired or was replaced. Request a new one."
    PreconditionFailed "precondition_failed" PRECONDITION_FAILED "It has changed since you read it"
        "`If-Match` is not the current revision. Read the object again and repeat the change."
    ContentTooLarge "content_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "A JSON body may have 64 KiB, a picture 200 KiB. Send less."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is not JSON"
        "Send the body as `Content-Type: application/json`, without `Content-Encoding`."
    Unprocessable "unprocessable" UNPROCESSABLE_ENTITY "A value is not acceptable"
        "The request matches the schema, but a value cannot be used. `errors` names it and gives the reason."
    StartInPast "start_in_past" UNPROCESSABLE_ENTITY "The start is in the past"
        "The start has passed. Choose a later one."
    TooSoon "too_soon" UNPROCESSABLE_ENTITY "The start is too soon"
        "The service requires more notice before the start. Choose a later one."
    TooFar "too_far" UNPROCESSABLE_ENTITY "The start is too far ahead"
        "The service cannot be booked that far ahead. Choose an earlier start."
    OutsideHours "outside_hours" UNPROCESSABLE_ENTITY "Outside of opening hours"
        "The appointment is not entirely within the open hours of the member of staff. Choose a start from `GET /v1/slots`."
    OffGrid "off_grid" UNPROCESSABLE_ENTITY "The start is not a slot"
        "The service does not begin at this time. Choose a start from `GET /v1/slots`."
    NoticePassed "notice_passed" UNPROCESSABLE_ENTITY "It is too late for this change"
        "Customers can no longer cancel or move this booking. Call the business."
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The Idempotency-Key was used for another request"
        "This Idempotency-Key was sent with another body before. Use a new key for a new request."
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The request's head is too large"
        "Path and headers together may have 16 KiB and 64 fields. The server closes the connection."
    PreconditionRequired "precondition_required" PRECONDITION_REQUIRED "If-Match is required"
        "Send the `rev` that you read as `If-Match`, or `*` to change any revision."
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
        "A limit was reached. Repeat the request after `Retry-After`."
    InternalError "internal_error" INTERNAL_SERVER_ERROR "Something went wrong on our side"
        "A bug in the server. Report it with `instance`, which identifies the request in the logs."
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Not available right now"
        "The server cannot reach its database or is stopping. Repeat the request after `Retry-After`."
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Too busy right now"
        "Too many requests are waiting. Repeat the request after `Retry-After`."
}
