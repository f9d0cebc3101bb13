use punctual_core::config::{RequestLimit, RequestLimits};

/// The subject of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyedBy {
    /// The client's address; counted by the guard.
    Address,
    /// The client's address, for guests only.
    Guest,
    /// The e-mail address the request is about.
    Email,
    /// The customer's account.
    Account,
    /// The API key; counted by the guard.
    Key,
    /// Both together.
    EmailAndAddress,
}

/// Which requests count. A refused request never counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// All.
    All,
    /// Successful ones.
    Successes,
    /// Those answered with 401.
    Failures,
}

/// What a limit counts. Its number is in `defaults.env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Failed logins from one address.
    LoginAddress,
    /// Failed logins to one account from one address.
    LoginGuesses,
    /// Failed logins to one account, from any address.
    LoginAccount,
    /// Refused refresh tokens from one address.
    RefreshAddress,
    /// Registrations from one address.
    RegisterAddress,
    /// Accounts made for one e-mail address.
    RegisterEmail,
    /// Password resets requested from one address.
    ResetAddress,
    /// Password resets of one e-mail address, whether it has an account or not.
    ResetEmail,
    /// Links of bookings requested from one address.
    LinksAddress,
    /// Mails with links of bookings to one e-mail address, whether it has bookings or not.
    LinksEmail,
    /// Mails to verify one e-mail address.
    VerifyEmail,
    /// Bookings and holds of guests from one address.
    BookingAddress,
    /// New bookings and holds for one unverified e-mail address.
    BookingEmail,
    /// Bookings moved for one unverified e-mail address.
    MoveEmail,
    /// Bookings of one account.
    BookingAccount,
    /// Holds of one account.
    HoldAccount,
    /// Holds of guests from one address.
    HoldAddress,
    /// Requests with one API key.
    ApiKey,
}

impl Policy {
    /// Limits of every comparison with a stored password.
    pub const PASSWORD: &[Self] = &[Self::LoginAddress, Self::LoginGuesses, Self::LoginAccount];
}

impl Policy {
    /// Its name in `RateLimit` and `RateLimit-Policy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoginAddress => "login-address",
            Self::LoginGuesses => "login-guesses",
            Self::LoginAccount => "login-account",
            Self::RefreshAddress => "refresh-address",
            Self::RegisterAddress => "register-address",
            Self::RegisterEmail => "register-email",
            Self::ResetAddress => "reset-address",
            Self::ResetEmail => "reset-email",
            Self::LinksAddress => "links-address",
            Self::LinksEmail => "links-email",
            Self::VerifyEmail => "verify-email",
            Self::BookingAddress => "booking-address",
            Self::BookingEmail => "booking-email",
            Self::MoveEmail => "move-email",
            Self::BookingAccount => "booking-account",
            Self::HoldAccount => "hold-account",
            Self::HoldAddress => "hold-address",
            Self::ApiKey => "api-key",
        }
    }

    /// Its subject.
    #[must_use]
    pub const fn by(self) -> KeyedBy {
        match self {
            Self::LoginAddress
            | Self::RefreshAddress
            | Self::RegisterAddress
            | Self::ResetAddress
            | Self::LinksAddress => KeyedBy::Address,
            Self::BookingAddress | Self::HoldAddress => KeyedBy::Guest,
            Self::BookingAccount | Self::HoldAccount => KeyedBy::Account,
            Self::ApiKey => KeyedBy::Key,
            Self::LoginGuesses => KeyedBy::EmailAndAddress,
            Self::LoginAccount
            | Self::RegisterEmail
            | Self::ResetEmail
            | Self::LinksEmail
            | Self::VerifyEmail
            | Self::BookingEmail
            | Self::MoveEmail => KeyedBy::Email,
        }
    }

    /// Which requests it counts.
    #[must_use]
    pub const fn counts(self) -> Counts {
        match self {
            Self::LoginAddress | Self::LoginGuesses | Self::LoginAccount | Self::RefreshAddress => {
                Counts::Failures
            }
            Self::RegisterAddress
            | Self::ResetAddress
            | Self::ResetEmail
            | Self::LinksAddress
            | Self::LinksEmail
            | Self::VerifyEmail
            | Self::ApiKey => Counts::All,
            Self::RegisterEmail
            | Self::BookingAddress
            | Self::BookingEmail
            | Self::MoveEmail
            | Self::BookingAccount
            | Self::HoldAccount
            | Self::HoldAddress => Counts::Successes,
        }
    }

    /// The detail of the refusal.
    #[must_use]
    pub const fn refusal(self) -> &'static str {
        match self {
            Self::LoginAddress | Self::LoginGuesses | Self::LoginAccount => {
                "Too many logins failed. Try again after `Retry-After`, or reset the password."
            }
            Self::BookingEmail | Self::MoveEmail => {
                "An e-mail address that is not verified has so many a day. Verify it, or try again after `Retry-After`."
            }
            Self::BookingAccount => {
                "An account has so many new bookings a day. Try again after `Retry-After`, or call the business."
            }
            Self::HoldAccount | Self::HoldAddress => {
                "So many slots are held at a time. Book one, or wait until a hold runs out."
            }
            Self::ApiKey => "So many requests came with this API key. Try again after `Retry-After`.",
            Self::RegisterEmail => "An account was made for this e-mail address a short while ago.",
            Self::ResetEmail | Self::LinksEmail | Self::VerifyEmail => {
                "Mails were sent to this address a short while ago. Look for them, or try again after `Retry-After`."
            }
            Self::RefreshAddress
            | Self::RegisterAddress
            | Self::ResetAddress
            | Self::LinksAddress
            | Self::BookingAddress => {
                "Too many requests came from this address. Try again after `Retry-After`."
            }
        }
    }

    /// Its configured limit, if there is one.
    pub(super) const fn limit(self, limits: &RequestLimits) -> Option<RequestLimit> {
        match self {
            Self::LoginAddress => limits.login_address,
            Self::LoginGuesses => limits.login_guesses,
            Self::LoginAccount => limits.login_account,
            Self::RefreshAddress => limits.refresh_address,
            Self::RegisterAddress => limits.register_address,
            Self::RegisterEmail => limits.register_email,
            Self::ResetAddress => limits.reset_address,
            Self::ResetEmail => limits.reset_email,
            Self::LinksAddress => limits.links_address,
            Self::LinksEmail => limits.links_email,
            Self::VerifyEmail => limits.verify_email,
            Self::BookingAddress => limits.booking_address,
            Self::BookingEmail => limits.booking_email,
            Self::MoveEmail => limits.move_email,
            Self::BookingAccount => limits.booking_account,
            Self::HoldAccount => limits.hold_account,
            Self::HoldAddress => limits.hold_address,
            Self::ApiKey => limits.api_key,
        }
    }
}
