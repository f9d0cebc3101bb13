//! The table of operations: who may call each, which problems it can answer with beside those every operation has,
//! and which headers its success carries. The guard enforces it, the document is written from it.

use punctual_core::types::{Actor, Role};

use crate::{
    auth::Caller,
    http::problem::{Code, Problem},
    throttle::Policy,
};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; a token that is sent must be valid all the same.
    Public,
    /// Accounts, and guests where the business takes them.
    Guests,
    /// Accounts of these roles.
    Roles(&'static [Role]),
}

impl Access {
    /// Every account.
    pub const ACCOUNT: Self = Self::Roles(&[Role::Customer, Role::Staff, Role::Admin]);
    /// Those who work here.
    pub const STAFF: Self = Self::Roles(&[Role::Staff, Role::Admin]);
    /// Those who run the business.
    pub const ADMIN: Self = Self::Roles(&[Role::Admin]);

    /// Whether the caller may.
    pub fn check(self, caller: &Caller) -> Result<(), Problem> {
        let Self::Roles(roles) = self else { return Ok(()) };
        match caller.actor() {
            Actor::Account { role, .. } if roles.contains(&role) => Ok(()),
            Actor::Account { .. } => Err(Problem::new(Code::Forbidden)),
            _ => Err(Problem::new(Code::Unauthenticated)),
        }
    }
}

/// A header of an operation's success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The revision or state, for `If-Match` and `If-None-Match`.
    ETag,
    /// The path of what was made.
    Location,
    /// Says that this is the stored answer of an earlier request.
    IdempotencyReplayed,
}

/// One operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The `operationId`.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Problems of its own.
    pub problems: &'static [Code],
    /// Headers of its success.
    pub headers: &'static [Header],
    /// How often it may be asked for.
    pub limits: &'static [Policy],
}

const fn operation(
    id: &'static str,
    access: Access,
    problems: &'static [Code],
    headers: &'static [Header],
) -> Operation {
    Operation { id, access, problems, headers, limits: &[] }
}

impl Operation {
    /// The same with limits. Those by an e-mail address count where the handler says so.
    const fn limited(self, limits: &'static [Policy]) -> Self {
        Self { limits, ..self }
    }
}

/// Every operation of the document.
pub const OPERATIONS: &[Operation] = {
    use Access::{Guests, Public};
    use Code::{
        EmailTaken, Forbidden, HasBookings, HoldExpired, IdempotencyInProgress, IdempotencyKeyReused,
        InvalidCredentials, InvalidRefreshToken, InvalidTransition, JobNotEligible, LastAdmin, LinkVoid,
        NotFound, NotResendable, NoticePassed, OffGrid, OutsideHours, Overloaded, PreconditionFailed,
        PreconditionRequired, SlotTaken, StartInPast, TooFar, TooSoon, Unauthenticated, Unprocessable,
    };
    use Header::{ETag, IdempotencyReplayed, Location};
    use Policy::{
        BookingAddress, BookingEmail, LoginAccount, LoginAddress, LoginGuesses, MoveEmail, RefreshAddress,
        RegisterAddress, RegisterEmail, ResetAddress, ResetEmail, VerifyEmail,
    };
    const ACCOUNT: Access = Access::ACCOUNT;
    const STAFF: Access = Access::STAFF;
    const ADMIN: Access = Access::ADMIN;
    const EDIT: &[Code] = &[NotFound, PreconditionFailed, PreconditionRequired, Unprocessable];
    const MAKE: &[Code] = &[Unprocessable, IdempotencyInProgress, IdempotencyKeyReused];
    const CHANGE: &[Code] =
        &[NotFound, InvalidTransition, PreconditionFailed, PreconditionRequired, Overloaded];
    const ACT_ON_JOB: &[Code] = &[NotFound, JobNotEligible];
    &[
        operation("register", Public, &[EmailTaken, Unprocessable, Overloaded], &[Location])
            .limited(&[RegisterAddress, RegisterEmail]),
        operation("login", Public, &[InvalidCredentials, Overloaded], &[]).limited(&[
            LoginAddress,
            LoginGuesses,
            LoginAccount,
        ]),
        operation("refresh", Public, &[InvalidRefreshToken], &[]).limited(&[RefreshAddress]),
        operation("logout", Public, &[], &[]),
        operation("logoutEverywhere", ACCOUNT, &[], &[]),
        operation("verifyEmail", Public, &[LinkVoid], &[]),
        operation("resendVerification", ACCOUNT, &[], &[]).limited(&[VerifyEmail]),
        operation("requestPasswordReset", Public, &[], &[]).limited(&[ResetAddress, ResetEmail]),
        operation("confirmPasswordReset", Public, &[LinkVoid, Unprocessable, Overloaded], &[]),
        operation("getMe", ACCOUNT, &[], &[]),
        operation("updateMe", ACCOUNT, &[Unprocessable], &[]),
        operation("changePassword", ACCOUNT, &[InvalidCredentials, Unprocessable, Overloaded], &[])
            .limited(&[LoginAddress, LoginGuesses, LoginAccount]),
        operation("exportMe", ACCOUNT, &[], &[]),
        operation("deleteMe", ACCOUNT, &[InvalidCredentials, HasBookings, LastAdmin, Overloaded], &[]),
        operation("getBusiness", Public, &[NotFound], &[]),
        operation("putBusiness", ADMIN, &[Overloaded], &[]),
        operation("updateBusiness", ADMIN, &[NotFound, Overloaded], &[]),
        operation("listServices", Public, &[], &[]),
        operation("getService", Public, &[NotFound], &[ETag]),
        operation("createService", ADMIN, MAKE, &[ETag, Location, IdempotencyReplayed]),
        operation("updateService", ADMIN, EDIT, &[ETag]),
        operation("listStaff", Public, &[], &[]),
        operation("getStaffMember", Public, &[NotFound], &[ETag]),
        operation("createStaffMember", ADMIN, MAKE, &[ETag, Location, IdempotencyReplayed]),
        operation("updateStaffMember", ADMIN, EDIT, &[ETag]),
        operation("inviteStaffMember", ADMIN, &[NotFound, Unprocessable], &[]),
        operation("renewCalendarFeed", STAFF, &[NotFound], &[]),
        operation("getHours", Public, &[NotFound], &[]),
        operation("putHours", STAFF, &[NotFound, Unprocessable, Overloaded], &[]),
        operation("listOverrides", Public, &[NotFound], &[]),
        operation("putOverride", STAFF, &[NotFound, Unprocessable, Overloaded], &[]),
        operation("removeOverride", STAFF, &[NotFound, Overloaded], &[]),
        operation("listTimeOff", STAFF, &[NotFound], &[]),
        operation(
            "createTimeOff",
            STAFF,
            &[NotFound, IdempotencyInProgress, IdempotencyKeyReused, Overloaded],
            &[Location, IdempotencyReplayed],
        ),
        operation("removeTimeOff", STAFF, &[NotFound, Overloaded], &[]),
        operation("listClosures", Public, &[], &[]),
        operation("putClosure", ADMIN, &[NotFound, Overloaded], &[]),
        operation("removeClosure", ADMIN, &[NotFound, Overloaded], &[]),
        operation("listCustomers", STAFF, &[], &[]),
        operation("getCustomer", STAFF, &[NotFound], &[]),
        operation("updateCustomer", STAFF, &[NotFound], &[]),
        operation("eraseCustomer", STAFF, &[NotFound, HasBookings, Overloaded], &[]),
        operation("listSlots", Public, &[NotFound], &[ETag]),
        operation(
            "createBooking",
            Guests,
            &[
                Unauthenticated,
                Forbidden,
                NotFound,
                SlotTaken,
                IdempotencyInProgress,
                HoldExpired,
                StartInPast,
                TooSoon,
                TooFar,
                OutsideHours,
                OffGrid,
                IdempotencyKeyReused,
                Unprocessable,
                Overloaded,
            ],
            &[ETag, Location, IdempotencyReplayed],
        )
        .limited(&[BookingAddress, BookingEmail]),
        operation(
            "holdSlot",
            Guests,
            &[
                Unauthenticated,
                Forbidden,
                NotFound,
                SlotTaken,
                IdempotencyInProgress,
                StartInPast,
                TooSoon,
                TooFar,
                OutsideHours,
                OffGrid,
                IdempotencyKeyReused,
                Unprocessable,
                Overloaded,
            ],
            &[ETag, Location, IdempotencyReplayed],
        )
        .limited(&[BookingAddress, BookingEmail]),
        operation("getBooking", ACCOUNT, &[NotFound], &[ETag]),
        operation("getBookingCalendar", ACCOUNT, &[NotFound], &[ETag]),
        operation("listBookings", ACCOUNT, &[Forbidden], &[]),
        operation(
            "cancelBooking",
            ACCOUNT,
            &[
                NotFound,
                InvalidTransition,
                PreconditionFailed,
                PreconditionRequired,
                NoticePassed,
                Overloaded,
            ],
            &[ETag],
        ),
        operation(
            "rescheduleBooking",
            ACCOUNT,
            &[
                Forbidden,
                NotFound,
                InvalidTransition,
                SlotTaken,
                PreconditionFailed,
                PreconditionRequired,
                StartInPast,
                TooSoon,
                TooFar,
                OutsideHours,
                OffGrid,
                NoticePassed,
                Unprocessable,
                Overloaded,
            ],
            &[ETag],
        )
        .limited(&[MoveEmail]),
        operation("confirmBooking", STAFF, CHANGE, &[ETag]),
        operation("declineBooking", STAFF, CHANGE, &[ETag]),
        operation("completeBooking", STAFF, CHANGE, &[ETag]),
        operation("markNoShow", STAFF, CHANGE, &[ETag]),
        operation("listBookingEvents", ACCOUNT, &[NotFound], &[]),
        operation("listBookingNotifications", ACCOUNT, &[NotFound], &[]),
        operation("listQueues", ADMIN, &[], &[]),
        operation("getQueueHistory", ADMIN, &[], &[]),
        operation("pauseQueue", ADMIN, &[NotFound], &[]),
        operation("resumeQueue", ADMIN, &[NotFound], &[]),
        operation("putQueueLimits", ADMIN, &[NotFound], &[]),
        operation("listJobs", ADMIN, &[], &[]),
        operation("getJob", ADMIN, &[NotFound], &[]),
        operation("retryJob", ADMIN, ACT_ON_JOB, &[]),
        operation("cancelJob", ADMIN, ACT_ON_JOB, &[]),
        operation("discardJob", ADMIN, ACT_ON_JOB, &[]),
        operation("listWorkers", ADMIN, &[], &[]),
        operation("listOperatorActions", ADMIN, &[], &[]),
        operation("resendNotification", STAFF, &[NotFound, NotResendable, Overloaded], &[]),
    ]
};
