use std::{
    collections::BTreeMap, fmt::Display, io, ops::RangeInclusive, path::Path, str::FromStr, time::Duration,
};

use super::{DEFAULTS, Fault};

/// Description of a valid address in error messages.
pub(super) const ADDRESS: &str = "an address and a port such as 0.0.0.0:8080";

/// Keys whose value may come from a file named by `<key>_FILE`.
pub(super) const SECRETS: [&str; 6] =
    ["DATABASE_URL", "REDIS_URL", "SMTP_URL", "PUNCTUAL_JWT_KEYS", "PUNCTUAL_LINK_KEYS", "PUNCTUAL_DKIM_KEY"];

/// Reads values and collects errors.
pub(super) struct Reader<F> {
    vars: BTreeMap<String, String>,
    defaults: BTreeMap<&'static str, &'static str>,
    read_file: F,
    faults: Vec<Fault>,
}

impl<F: Fn(&Path) -> io::Result<String>> Reader<F> {
    pub(super) fn new(vars: BTreeMap<String, String>, read_file: F) -> Self {
        let defaults = defaults();
        let file_of = |key: &str| key.strip_suffix("_FILE").is_some_and(|base| SECRETS.contains(&base));
        let faults = vars
            .keys()
            .filter(|key| {
                key.starts_with("PUNCTUAL_") && !defaults.contains_key(key.as_str()) && !file_of(key)
            })
            .map(|key| Fault { key: key.clone(), problem: unknown(key, &defaults) })
            .collect();
        Self { vars, defaults, read_file, faults }
    }

    /// The effective value; `None` when it is empty.
    fn value(&self, key: &'static str) -> Option<&str> {
        debug_assert!(self.defaults.contains_key(key), "{key} is not in defaults.env");
        let text = match self.vars.get(key) {
            Some(text) => text.trim(),
            None => self.defaults.get(key).copied().unwrap_or_default(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// A value that may be empty.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.value(key)?;
        let value = parse(text);
        if value.is_none() {
            let problem = format!("is {text:?}, expected {expected}");
            self.faults.push(Fault { key: key.to_owned(), problem });
        }
        value
    }

    /// A value that must not be empty.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if self.value(key).is_none() {
            self.faults
                .push(Fault { key: key.to_owned(), problem: format!("is empty, expected {expected}") });
            return None;
        }
        self.optional(key, expected, parse)
    }

    /// A whole number within a range.
    pub(super) fn number<T>(&mut self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.text(key, &expected, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// A whole number of seconds within a range.
    pub(super) fn seconds(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<Duration> {
        self.number(key, range).map(Duration::from_secs)
    }

    /// A secret, from its variable or from the file that `<key>_FILE` names.
    pub(super) fn secret<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let file_key = format!("{key}_FILE");
        let path =
            self.vars.get(&file_key).map(|path| path.trim().to_owned()).filter(|path| !path.is_empty());
        let text = match (self.value(key), path) {
            (None, None) => return None,
            (Some(text), None) => text.to_owned(),
            (Some(_), Some(_)) => {
                let problem = format!("is set as well as {key}; keep one");
                self.faults.push(Fault { key: file_key, problem });
                return None;
            }
            (None, Some(path)) => match (self.read_file)(Path::new(&path)) {
                Ok(text) => text.trim().to_owned(),
                Err(error) => {
                    let problem = format!("names {path:?}, which cannot be read: {error}");
                    self.faults.push(Fault { key: file_key, problem });
                    return None;
                }
            },
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                let problem = format!("is wrong: {why}; expected {expected}");
                self.faults.push(Fault { key: key.to_owned(), problem });
                None
            }
        }
    }

    /// Reports a value that is readable but not allowed.
    pub(super) fn fault(&mut self, key: &'static str, problem: &str) {
        self.faults.push(Fault { key: key.to_owned(), problem: problem.to_owned() });
    }

    pub(super) fn finish(self) -> Vec<Fault> {
        self.faults
    }
}

/// The keys and values of the embedded file.
fn defaults() -> BTreeMap<&'static str, &'static str> {
    DEFAULTS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

fn unknown(key: &str, defaults: &BTreeMap<&'static str, &'static str>) -> String {
    let near = defaults.keys().map(|known| (distance(key, known), known)).min();
    match near {
        Some((steps, known)) if steps <= 4 => format!("is unknown; is {known} meant?"),
        _ => "is unknown".to_owned(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
