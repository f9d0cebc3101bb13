//! Public holidays, to be offered as closures.
//!
//! The rules are those of the law: Germany, the holiday acts of the federal states, listed by the Federal Ministry of the
//! Interior; Austria, section 7 of the Arbeitsruhegesetz; Switzerland, the four days that all cantons keep; France, article
//! L3133-1 of the Code du travail. Days that only some communities keep are left out, except the Assumption in Bavaria, which
//! most of them do.

use chrono::{Datelike, Days, NaiveDate};

use crate::types::Locale;

/// A public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicHoliday {
    /// The date.
    pub date: NaiveDate,
    name: (&'static str, &'static str),
}

impl PublicHoliday {
    /// Its name.
    #[must_use]
    pub const fn name(&self, locale: Locale) -> &'static str {
        match locale {
            Locale::En => self.name.0,
            Locale::De => self.name.1,
        }
    }
}

/// A country with the regions that have holidays of their own, by their ISO 3166 codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolidayCountry {
    /// ISO 3166-1 code.
    pub code: &'static str,
    /// ISO 3166-2 codes and names; empty: the holidays are the same everywhere.
    pub regions: &'static [(&'static str, &'static str)],
}

/// The countries whose holidays are known.
pub const HOLIDAY_COUNTRIES: [HolidayCountry; 4] = [
    HolidayCountry { code: "AT", regions: &[] },
    HolidayCountry { code: "CH", regions: &[] },
    HolidayCountry { code: "DE", regions: &STATES },
    HolidayCountry { code: "FR", regions: &[] },
];

const STATES: [(&str, &str); 16] = [
    ("DE-BB", "Brandenburg"),
    ("DE-BE", "Berlin"),
    ("DE-BW", "Baden-Württemberg"),
    ("DE-BY", "Bayern"),
    ("DE-HB", "Bremen"),
    ("DE-HE", "Hessen"),
    ("DE-HH", "Hamburg"),
    ("DE-MV", "Mecklenburg-Vorpommern"),
    ("DE-NI", "Niedersachsen"),
    ("DE-NW", "Nordrhein-Westfalen"),
    ("DE-RP", "Rheinland-Pfalz"),
    ("DE-SH", "Schleswig-Holstein"),
    ("DE-SL", "Saarland"),
    ("DE-SN", "Sachsen"),
    ("DE-ST", "Sachsen-Anhalt"),
    ("DE-TH", "Thüringen"),
];

/// When a holiday is.
#[derive(Clone, Copy)]
enum HolidayDate {
    /// Month and day.
    Day(u32, u32),
    /// So many days after Easter Sunday.
    Easter(i64),
    /// The Wednesday before 23 November.
    Repentance,
}

type Rule = (HolidayDate, (&'static str, &'static str), &'static str);

/// When, the name in English and German, and the countries and regions that keep it, separated by spaces.
const RULES: [Rule; 28] = [
    (HolidayDate::Day(1, 1), ("New Year's Day", "Neujahr"), "AT CH DE FR"),
    (HolidayDate::Day(1, 6), ("Epiphany", "Heilige Drei Könige"), "AT DE-BW DE-BY DE-ST"),
    (HolidayDate::Day(3, 8), ("International Women's Day", "Internationaler Frauentag"), "DE-BE DE-MV"),
    (HolidayDate::Easter(-2), ("Good Friday", "Karfreitag"), "DE"),
    (HolidayDate::Easter(0), ("Easter Sunday", "Ostersonntag"), "DE-BB"),
    (HolidayDate::Easter(1), ("Easter Monday", "Ostermontag"), "AT DE FR"),
    (HolidayDate::Day(5, 1), ("Labour Day", "Tag der Arbeit"), "DE FR"),
    (HolidayDate::Day(5, 1), ("National Holiday", "Staatsfeiertag"), "AT"),
    (HolidayDate::Day(5, 8), ("Victory in Europe Day", "Tag des Sieges 1945"), "FR"),
    (HolidayDate::Easter(39), ("Ascension Day", "Christi Himmelfahrt"), "AT CH DE FR"),
    (HolidayDate::Easter(49), ("Whit Sunday", "Pfingstsonntag"), "DE-BB"),
    (HolidayDate::Easter(50), ("Whit Monday", "Pfingstmontag"), "AT DE FR"),
    (HolidayDate::Easter(60), ("Corpus Christi", "Fronleichnam"), "AT DE-BW DE-BY DE-HE DE-NW DE-RP DE-SL"),
    (HolidayDate::Day(7, 14), ("Bastille Day", "Französischer Nationalfeiertag"), "FR"),
    (HolidayDate::Day(8, 1), ("Swiss National Day", "Bundesfeiertag"), "CH"),
    (HolidayDate::Day(8, 15), ("Assumption of Mary", "Mariä Himmelfahrt"), "AT FR DE-BY DE-SL"),
    (HolidayDate::Day(9, 20), ("Children's Day", "Weltkindertag"), "DE-TH"),
    (HolidayDate::Day(10, 3), ("Day of German Unity", "Tag der Deutschen Einheit"), "DE"),
    (HolidayDate::Day(10, 26), ("Austrian National Day", "Nationalfeiertag"), "AT"),
    (
        HolidayDate::Day(10, 31),
        ("Reformation Day", "Reformationstag"),
        "DE-BB DE-HB DE-HH DE-MV DE-NI DE-SH DE-SN DE-ST DE-TH",
    ),
    (HolidayDate::Day(11, 1), ("All Saints' Day", "Allerheiligen"), "AT FR DE-BW DE-BY DE-NW DE-RP DE-SL"),
    (HolidayDate::Day(11, 11), ("Armistice Day", "Waffenstillstand 1918"), "FR"),
    (HolidayDate::Repentance, ("Day of Repentance and Prayer", "Buß- und Bettag"), "DE-SN"),
    (HolidayDate::Day(12, 8), ("Immaculate Conception", "Mariä Empfängnis"), "AT"),
    (HolidayDate::Day(12, 25), ("Christmas Day", "Erster Weihnachtstag"), "CH DE FR"),
    (HolidayDate::Day(12, 25), ("Christmas Day", "Christtag"), "AT"),
    (HolidayDate::Day(12, 26), ("Second Day of Christmas", "Zweiter Weihnachtstag"), "DE"),
    (HolidayDate::Day(12, 26), ("St. Stephen's Day", "Stefanitag"), "AT"),
];

/// The public holidays of a year, by date. With a region also those of its own; without one those of the whole country.
/// None for a country or region that is not in [`HOLIDAY_COUNTRIES`], and for years before 1995 or after 2200.
#[must_use]
pub fn public_holidays(country: &str, region: Option<&str>, year: i32) -> Option<Vec<PublicHoliday>> {
    let known = HOLIDAY_COUNTRIES.iter().find(|known| known.code == country)?;
    if region.is_some_and(|region| !known.regions.iter().any(|(code, _)| *code == region)) {
        return None;
    }
    let easter = easter(year).filter(|_| (1995..=2200).contains(&year))?;
    let kept = |places: &str| places.split(' ').any(|place| place == country || Some(place) == region);
    let mut holidays: Vec<PublicHoliday> = RULES
        .iter()
        .filter(|(_, _, places)| kept(places))
        .filter_map(|(on, name, _)| Some(PublicHoliday { date: date(*on, year, easter)?, name: *name }))
        .collect();
    holidays.sort_by_key(|holiday| holiday.date);
    Some(holidays)
}

fn date(on: HolidayDate, year: i32, easter: NaiveDate) -> Option<NaiveDate> {
    match on {
        HolidayDate::Day(month, day) => NaiveDate::from_ymd_opt(year, month, day),
        HolidayDate::Easter(days) => easter.checked_add_signed(chrono::TimeDelta::days(days)),
        HolidayDate::Repentance => {
            let day = NaiveDate::from_ymd_opt(year, 11, 22)?;
            let since_wednesday = (day.weekday().num_days_from_monday() + 5) % 7;
            day.checked_sub_days(Days::new(u64::from(since_wednesday)))
        }
    }
}

/// Easter Sunday of the Gregorian calendar, by the anonymous algorithm that the Astronomical Almanac gives.
fn easter(year: i32) -> Option<NaiveDate> {
    let (golden, century) = (year % 19, year / 100);
    let of_century = year % 100;
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let from_march = epact + weekday - 7 * shift + 114;
    NaiveDate::from_ymd_opt(
        year,
        u32::try_from(from_march / 31).ok()?,
        u32::try_from(from_march % 31 + 1).ok()?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(country: &str, region: Option<&str>, year: i32) -> Vec<String> {
        public_holidays(country, region, year)
            .unwrap()
            .into_iter()
            .map(|holiday| format!("{} {}", holiday.date.format("%m-%d"), holiday.name(Locale::De)))
            .collect()
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        for (year, expected) in
            [(2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28"), (2038, "04-25")]
        {
            assert_eq!(easter(year).unwrap().format("%m-%d").to_string(), expected);
        }
    }

    #[test]
    fn berlin_has_ten_days_and_saxony_its_day_of_repentance() {
        assert_eq!(
            days("DE", Some("DE-BE"), 2027),
            [
                "01-01 Neujahr",
                "03-08 Internationaler Frauentag",
                "03-26 Karfreitag",
                "03-29 Ostermontag",
                "05-01 Tag der Arbeit",
                "05-06 Christi Himmelfahrt",
                "05-17 Pfingstmontag",
                "10-03 Tag der Deutschen Einheit",
                "12-25 Erster Weihnachtstag",
                "12-26 Zweiter Weihnachtstag",
            ]
        );
        assert!(days("DE", Some("DE-SN"), 2027).contains(&"11-17 Buß- und Bettag".to_owned()));
        assert_eq!(days("DE", None, 2027).len(), 9);
        assert_eq!(days("DE", Some("DE-BY"), 2027).len(), 13);
    }

    #[test]
    fn austria_has_thirteen_days_france_eleven_and_all_cantons_four() {
        assert_eq!(
            [days("AT", None, 2026).len(), days("FR", None, 2026).len(), days("CH", None, 2026).len()],
            [13, 11, 4]
        );
        assert_eq!(public_holidays("XX", None, 2026), None);
        assert_eq!(public_holidays("AT", Some("DE-BE"), 2026), None);
    }
}
