//! The fields of a form: what was written, and what is wrong with it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::customer_input::Faults;
use crate::pages::form::Form;

/// What a form of the desk says; a template shows `values` and `faults` by the names of fields.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Fields {
    values: BTreeMap<&'static str, String>,
    faults: Faults,
}

impl Fields {
    /// What was sent in these fields.
    pub fn of(form: &Form, names: &[&'static str]) -> Self {
        let text = |name| form.text(name).unwrap_or_default().replace("\r\n", "\n");
        let kept = |name| text(name).chars().take(4000).collect::<String>();
        let values = names.iter().map(|name| (*name, kept(name))).collect();
        Self { values, faults: Faults::new() }
    }

    /// These values.
    pub fn with(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { values: values.into_iter().collect(), faults: Faults::new() }
    }

    /// What stands in a field.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |text| text.trim())
    }

    /// Notes what is wrong with a field.
    pub fn fault(&mut self, name: &'static str, words: &'static str) {
        self.faults.entry(name).or_insert(words);
    }

    /// The value of a field that is needed; otherwise `words` say what is wrong.
    pub fn parse<T, E>(
        &mut self,
        name: &'static str,
        words: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(self.text(name)).ok();
        if parsed.is_none() {
            self.fault(name, if self.text(name).is_empty() { "fault_required" } else { words });
        }
        parsed
    }

    /// The value of a field that may be empty; the outer `None`: it is wrong.
    #[expect(clippy::option_option, reason = "what is empty differs from what is wrong")]
    pub fn parse_optional<T, E>(
        &mut self,
        name: &'static str,
        words: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if self.text(name).is_empty() { Some(None) } else { self.parse(name, words, parse).map(Some) }
    }
}
