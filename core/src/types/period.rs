use chrono::TimeDelta;

use super::ParseError;

/// A period of exact length: an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as `PT24H` or
/// `P1DT12H`. A day has 24 hours. Years and months have no exact length and are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(TimeDelta);

impl Period {
    /// Parses a duration.
    ///
    /// # Errors
    /// `bad_period`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = ParseError::new(
            "bad_period",
            "expected a duration of at most 9,999 days such as PT24H, P7D or PT90M",
        );
        seconds(text)
            .and_then(|seconds| i64::try_from(seconds).ok())
            .map(|s| Self(TimeDelta::seconds(s)))
            .ok_or(bad)
    }

    /// Its length.
    #[must_use]
    pub const fn length(self) -> TimeDelta {
        self.0
    }
}

/// The longest period in seconds.
const MAX_PERIOD: u64 = 9_999 * 86_400;

fn seconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (dates, times) = match rest.split_once('T') {
        Some((dates, times)) if !times.is_empty() => (dates, times),
        Some(_) => return None,
        None => (rest, ""),
    };
    if dates.is_empty() && times.is_empty() {
        return None;
    }
    let total = sum(dates, &[('W', 604_800), ('D', 86_400)])?
        .checked_add(sum(times, &[('H', 3_600), ('M', 60), ('S', 1)])?)?;
    (total <= MAX_PERIOD).then_some(total)
}

/// The sum of numbers with their units, each unit at most once and in this order.
fn sum(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| plain)?;
        total = total.checked_add(number.checked_mul(*seconds)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_exact_length_are_read_and_no_others() {
        for (text, seconds) in [
            ("PT24H", 86_400),
            ("P1D", 86_400),
            ("P1DT12H", 129_600),
            ("P2W", 1_209_600),
            ("PT1H30M5S", 5_405),
            ("PT0S", 0),
        ] {
            assert_eq!(Period::parse(text).unwrap().length(), TimeDelta::seconds(seconds), "{text}");
        }
        for text in [
            "", "P", "PT", "24h", "P1Y", "P1M", "PT1.5H", "-PT1H", "P-1D", "PT1M1H", "P1DT", "PTH",
            "P99999D", "PT1H ",
        ] {
            assert_eq!(Period::parse(text).unwrap_err().code, "bad_period", "{text}");
        }
    }
}
