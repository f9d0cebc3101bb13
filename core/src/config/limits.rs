use std::{io, path::Path, time::Duration};

use super::Reader;

/// Description of a valid value in error messages.
const EXPECTED: &str = "a number of requests and a time such as 10/15m (s, m, h or d), or off";

/// Failed logins that may be allowed to one account: NIST SP 800-63B §5.2.2.
const MAX_LOGIN_FAILURES: u32 = 100;

/// The longest period of a limit.
const MAX_PERIOD: Duration = Duration::from_hours(7 * 24);

/// At most `count` requests in any period of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimit {
    /// Requests, 1 to 10,000.
    pub count: u32,
    /// The period, at most a week.
    pub per: Duration,
}

/// Request limits; `None` means unlimited. Each is documented in `defaults.env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestLimits {
    /// Failed logins from one address.
    pub login_address: Option<RequestLimit>,
    /// Failed logins to one account from one address.
    pub login_guesses: Option<RequestLimit>,
    /// Failed logins to one account.
    pub login_account: Option<RequestLimit>,
    /// Refresh tokens that were refused, from one address.
    pub refresh_address: Option<RequestLimit>,
    /// Registrations from one address.
    pub register_address: Option<RequestLimit>,
    /// Registrations of one e-mail address.
    pub register_email: Option<RequestLimit>,
    /// Password resets requested from one address.
    pub reset_address: Option<RequestLimit>,
    /// Password resets of one e-mail address.
    pub reset_email: Option<RequestLimit>,
    /// Mails with links of bookings requested from one address.
    pub links_address: Option<RequestLimit>,
    /// Mails with links of bookings to one e-mail address.
    pub links_email: Option<RequestLimit>,
    /// Mails to verify one e-mail address.
    pub verify_email: Option<RequestLimit>,
    /// Bookings and holds of guests from one address.
    pub booking_address: Option<RequestLimit>,
    /// New bookings and holds for one e-mail address that is not verified.
    pub booking_email: Option<RequestLimit>,
    /// Bookings moved for one e-mail address that is not verified.
    pub move_email: Option<RequestLimit>,
    /// Bookings of one account.
    pub booking_account: Option<RequestLimit>,
    /// Holds of one account; a hold lasts ten minutes at most, so this bounds those that are live.
    pub hold_account: Option<RequestLimit>,
    /// Holds of guests from one address.
    pub hold_address: Option<RequestLimit>,
    /// Requests with one API key.
    pub api_key: Option<RequestLimit>,
}

impl RequestLimit {
    fn parse(text: &str) -> Option<Self> {
        let (count, per) = text.split_once('/')?;
        let unit = match per.bytes().last()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            _ => return None,
        };
        let number: u64 = per[..per.len() - 1].parse().ok()?;
        let per = Duration::from_secs(number.checked_mul(unit)?);
        let count = count.parse().ok().filter(|count| (1..=10_000).contains(count))?;
        (per > Duration::ZERO && per <= MAX_PERIOD).then_some(Self { count, per })
    }
}

fn read_limit(
    r: &mut Reader<impl Fn(&Path) -> io::Result<String>>,
    key: &'static str,
) -> Option<RequestLimit> {
    r.text(key, EXPECTED, |text| match text {
        "off" => Some(None),
        text => RequestLimit::parse(text).map(Some),
    })
    .flatten()
}

/// Reads all limits; the reader collects errors.
pub(super) fn read(r: &mut Reader<impl Fn(&Path) -> io::Result<String>>) -> RequestLimits {
    let on = r.text("PUNCTUAL_LIMITS", "on or off", |text| match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    });
    let login_account = read_limit(r, "PUNCTUAL_LIMIT_LOGIN_ACCOUNT");
    if login_account.is_some_and(|limit| limit.count > MAX_LOGIN_FAILURES) {
        r.fault(
            "PUNCTUAL_LIMIT_LOGIN_ACCOUNT",
            "allows more than 100 failed logins: at most 100 (NIST SP 800-63B)",
        );
    }
    let mut limit = |key| read_limit(r, key);
    let limits = RequestLimits {
        login_address: limit("PUNCTUAL_LIMIT_LOGIN_ADDRESS"),
        login_guesses: limit("PUNCTUAL_LIMIT_LOGIN_GUESSES"),
        login_account,
        refresh_address: limit("PUNCTUAL_LIMIT_REFRESH_ADDRESS"),
        register_address: limit("PUNCTUAL_LIMIT_REGISTER_ADDRESS"),
        register_email: limit("PUNCTUAL_LIMIT_REGISTER_EMAIL"),
        reset_address: limit("PUNCTUAL_LIMIT_RESET_ADDRESS"),
        reset_email: limit("PUNCTUAL_LIMIT_RESET_EMAIL"),
        links_address: limit("PUNCTUAL_LIMIT_LINKS_ADDRESS"),
        links_email: limit("PUNCTUAL_LIMIT_LINKS_EMAIL"),
        verify_email: limit("PUNCTUAL_LIMIT_VERIFY_EMAIL"),
        booking_address: limit("PUNCTUAL_LIMIT_BOOKING_ADDRESS"),
        booking_email: limit("PUNCTUAL_LIMIT_BOOKING_EMAIL"),
        move_email: limit("PUNCTUAL_LIMIT_MOVE_EMAIL"),
        booking_account: limit("PUNCTUAL_LIMIT_BOOKING_ACCOUNT"),
        hold_account: limit("PUNCTUAL_LIMIT_HOLD_ACCOUNT"),
        hold_address: limit("PUNCTUAL_LIMIT_HOLD_ADDRESS"),
        api_key: limit("PUNCTUAL_LIMIT_API_KEY"),
    };
    if on == Some(false) { RequestLimits::default() } else { limits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_count_and_a_time() {
        let limit = |count, secs| Some(RequestLimit { count, per: Duration::from_secs(secs) });
        assert_eq!(RequestLimit::parse("10/15m"), limit(10, 900));
        assert_eq!(RequestLimit::parse("1/1d"), limit(1, 86_400));
        assert_eq!(RequestLimit::parse("5/30s"), limit(5, 30));
        for wrong in ["", "10", "0/1m", "10/", "10/m", "10/0m", "10/15", "10/8d", "-1/1m", "10001/1m", "1/9é"]
        {
            assert_eq!(RequestLimit::parse(wrong), None, "{wrong}");
        }
    }
}
