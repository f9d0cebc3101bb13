//! The fields of a form: values and errors.

use std::collections::BTreeMap;

use serde::Serialize;

use super::customer_input::Faults;
use crate::pages::form::Form;

/// The fields of a form of the desk; a template shows `values` and `faults` by field name.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Fields {
    values: BTreeMap<&'static str, String>,
    faults: Faults,
}

impl Fields {
    /// From the sent form.
    pub fn of(form: &Form, names: &[&'static str]) -> Self {
        let text = |name| form.text(name).unwrap_or_default().replace("\r\n", "\n");
        let kept = |name| text(name).chars().take(4000).collect::<String>();
        let values = names.iter().map(|name| (*name, kept(name))).collect();
        Self { values, faults: Faults::new() }
    }

    /// From given values.
    pub fn with(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self { values: values.into_iter().collect(), faults: Faults::new() }
    }

    /// The value of a field.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |text| text.trim())
    }

    /// Whether no field has an error.
    pub fn are_right(&self) -> bool {
        self.faults.is_empty()
    }

    /// Sets the error of a field.
    pub fn fault(&mut self, name: &'static str, words: &'static str) {
        self.faults.entry(name).or_insert(words);
    }

    /// The value of a required field; otherwise sets the error `words`.
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

    /// The value of an optional field; the outer `None`: it is invalid.
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
