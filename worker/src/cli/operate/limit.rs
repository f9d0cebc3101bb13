//! Rate limits in the notation of the command line.

use std::str::FromStr;
use std::time::Duration;

use punctual_queue::Limit;

/// A limit to set; `None` restores the workers' configured limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitChange(pub Option<Limit>);

/// The notation, for error messages.
const EXPECTED: &str = "expected 50/s, 600/m or 1000/h, with :5 behind it for a burst of 5, or none";

impl FromStr for LimitChange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let (rate, burst) = text.split_once(':').unwrap_or((text, "1"));
        let (count, unit) = rate.split_once('/').ok_or(EXPECTED)?;
        let per = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return Err(EXPECTED),
        };
        let number =
            |text: &str| text.parse().ok().filter(|number| (1..=1_000_000).contains(number)).ok_or(EXPECTED);
        Ok(Self(Some(Limit { count: number(count)?, per, burst: number(burst)? })))
    }
}

/// In the notation that is parsed if the period is a second, a minute or an hour; otherwise with milliseconds.
pub fn display(limit: Option<Limit>) -> String {
    let Some(Limit { count, per, burst }) = limit else { return "-".to_owned() };
    let unit = match per.as_millis() {
        1000 => "s".to_owned(),
        60_000 => "m".to_owned(),
        3_600_000 => "h".to_owned(),
        millis => format!("{millis}ms"),
    };
    if burst == 1 { format!("{count}/{unit}") } else { format!("{count}/{unit}:{burst}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_displayed_in_the_notation_it_is_parsed_from() {
        for text in ["50/s", "600/m:20", "1000/h"] {
            let LimitChange(limit) = text.parse().unwrap();
            assert_eq!(display(limit), text);
        }
        assert_eq!("none".parse(), Ok(LimitChange(None)));
        for wrong in ["", "50", "0/s", "5/d", "5/s:0", "5/s:", "-1/s", "5000000/s"] {
            assert!(wrong.parse::<LimitChange>().is_err(), "{wrong}");
        }
    }
}
