//! Zones to choose from: a large city for each common offset. The URL can set any other zone.

use chrono::{DateTime, Utc};
use punctual_core::types::Zone;
use serde::Serialize;

const CITIES: [&str; 40] = [
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Denver",
    "America/Phoenix",
    "America/Chicago",
    "America/Mexico_City",
    "America/New_York",
    "America/Bogota",
    "America/Halifax",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires",
    "America/St_Johns",
    "Atlantic/Azores",
    "UTC",
    "Europe/London",
    "Europe/Lisbon",
    "Africa/Lagos",
    "Europe/Berlin",
    "Europe/Madrid",
    "Europe/Athens",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Europe/Istanbul",
    "Africa/Nairobi",
    "Asia/Dubai",
    "Asia/Tehran",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Chatham",
];

/// A zone to choose.
#[derive(Serialize)]
pub struct Choice {
    name: &'static str,
    /// `New York (UTC-05:00)`
    label: String,
    current: bool,
}

/// The zones except the business's; includes the one that is shown.
pub fn choices(own: Zone, shown: Option<Zone>, now: DateTime<Utc>) -> Vec<Choice> {
    let mut zones: Vec<Zone> = CITIES.iter().filter_map(|name| Zone::parse(name).ok()).collect();
    zones.extend(shown.filter(|zone| !zones.contains(zone)));
    zones.retain(|zone| *zone != own);
    zones.into_iter().map(|zone| choice(zone, shown == Some(zone), now)).collect()
}

fn choice(zone: Zone, current: bool, now: DateTime<Utc>) -> Choice {
    let city = zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ");
    Choice { name: zone.name(), label: format!("{city} (UTC{})", zone.at(now).offset()), current }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_city_is_a_zone_and_the_one_shown_can_be_any() {
        assert!(CITIES.iter().all(|name| Zone::parse(name).is_ok_and(|zone| zone.name() == *name)));
        let (berlin, odd) = (Zone::parse("Europe/Berlin").unwrap(), Zone::parse("Asia/Tashkent").unwrap());
        let choices = choices(berlin, Some(odd), DateTime::UNIX_EPOCH);
        assert!(choices.iter().all(|choice| choice.name != "Europe/Berlin"));
        assert_eq!(choices.iter().filter(|choice| choice.current).count(), 1);
    }
}
