//! The templates, embedded in the binary. An undefined name is an error instead of a gap in a mail.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use punctual_core::notifications::NotificationKind;
use punctual_core::types::Locale;
use serde::Serialize;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../templates/", $name)))),+]
    };
}

/// Every file of `templates/`.
const TEMPLATES: &[(&str, &str)] = embedded![
    "layout/account.html.j2",
    "layout/account.txt.j2",
    "layout/body.html.j2",
    "layout/body.txt.j2",
    "layout/several.html.j2",
    "layout/several.txt.j2",
    "layout/staff_several.html.j2",
    "layout/staff_several.txt.j2",
    "layout/staff.html.j2",
    "layout/staff.txt.j2",
    "layout/words.de.j2",
    "layout/words.en.j2",
    "confirmation/body.html.j2",
    "confirmation/body.txt.j2",
    "confirmation/words.de.j2",
    "confirmation/words.en.j2",
    "reminder/body.html.j2",
    "reminder/body.txt.j2",
    "reminder/words.de.j2",
    "reminder/words.en.j2",
    "cancellation/body.html.j2",
    "cancellation/body.txt.j2",
    "cancellation/words.de.j2",
    "cancellation/words.en.j2",
    "reschedule/body.html.j2",
    "reschedule/body.txt.j2",
    "reschedule/words.de.j2",
    "reschedule/words.en.j2",
    "pending/body.html.j2",
    "pending/body.txt.j2",
    "pending/words.de.j2",
    "pending/words.en.j2",
    "declined/body.html.j2",
    "declined/body.txt.j2",
    "declined/words.de.j2",
    "declined/words.en.j2",
    "expired/body.html.j2",
    "expired/body.txt.j2",
    "expired/words.de.j2",
    "expired/words.en.j2",
    "staff_new/body.html.j2",
    "staff_new/body.txt.j2",
    "staff_new/words.de.j2",
    "staff_new/words.en.j2",
    "staff_pending/body.html.j2",
    "staff_pending/body.txt.j2",
    "staff_pending/words.de.j2",
    "staff_pending/words.en.j2",
    "staff_moved/body.html.j2",
    "staff_moved/body.txt.j2",
    "staff_moved/words.de.j2",
    "staff_moved/words.en.j2",
    "staff_cancelled/body.html.j2",
    "staff_cancelled/body.txt.j2",
    "staff_cancelled/words.de.j2",
    "staff_cancelled/words.en.j2",
    "appointments_booked/body.html.j2",
    "appointments_booked/body.txt.j2",
    "appointments_booked/words.de.j2",
    "appointments_booked/words.en.j2",
    "appointments_moved/body.html.j2",
    "appointments_moved/body.txt.j2",
    "appointments_moved/words.de.j2",
    "appointments_moved/words.en.j2",
    "appointments_cancelled/body.html.j2",
    "appointments_cancelled/body.txt.j2",
    "appointments_cancelled/words.de.j2",
    "appointments_cancelled/words.en.j2",
    "staff_appointments_booked/body.html.j2",
    "staff_appointments_booked/body.txt.j2",
    "staff_appointments_booked/words.de.j2",
    "staff_appointments_booked/words.en.j2",
    "staff_appointments_moved/body.html.j2",
    "staff_appointments_moved/body.txt.j2",
    "staff_appointments_moved/words.de.j2",
    "staff_appointments_moved/words.en.j2",
    "staff_appointments_cancelled/body.html.j2",
    "staff_appointments_cancelled/body.txt.j2",
    "staff_appointments_cancelled/words.de.j2",
    "staff_appointments_cancelled/words.en.j2",
    "verify_email/body.html.j2",
    "verify_email/body.txt.j2",
    "verify_email/words.de.j2",
    "verify_email/words.en.j2",
    "password_reset/body.html.j2",
    "password_reset/body.txt.j2",
    "password_reset/words.de.j2",
    "password_reset/words.en.j2",
    "set_password/body.html.j2",
    "set_password/body.txt.j2",
    "set_password/words.de.j2",
    "set_password/words.en.j2",
    "booking_links/body.html.j2",
    "booking_links/body.txt.j2",
    "booking_links/words.de.j2",
    "booking_links/words.en.j2",
    "webhook_ended/body.html.j2",
    "webhook_ended/body.txt.j2",
    "webhook_ended/words.de.j2",
    "webhook_ended/words.en.j2",
];

/// Subject and bodies of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// A single line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// All templates, parsed.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Parses the embedded templates.
    ///
    /// # Errors
    /// If a template has a syntax error; the tests exclude that.
    pub fn embedded() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self { environment })
    }

    /// Renders the mail of this kind and language.
    pub(super) fn render(
        &self,
        kind: NotificationKind,
        locale: Locale,
        context: &impl Serialize,
    ) -> Result<Rendered, minijinja::Error> {
        let (kind, locale) = (kind.as_str(), locale.as_str());
        let facts = Value::from(Serde(context));
        let words = self.words(&format!("{kind}/words.{locale}.j2"), &facts)?;
        let labels = self.words(&format!("layout/words.{locale}.j2"), &facts)?;
        let subject = words.get("subject").cloned().unwrap_or_default();
        let everything = minijinja::context! { locale, words, labels, ..facts };
        let body = |format: &str| {
            self.environment.get_template(&format!("{kind}/body.{format}.j2"))?.render(&everything)
        };
        Ok(Rendered { subject: one_line(&subject), text: body("txt")?, html: body("html")? })
    }

    /// The variables a words file sets, as plain text: the HTML templates escape them.
    fn words(&self, name: &str, facts: &Value) -> Result<BTreeMap<String, String>, minijinja::Error> {
        let captured = self.environment.get_template(name)?.render_captured(facts)?;
        let state = captured.state();
        let words =
            state.exports().into_iter().filter_map(|word| Some((word.to_owned(), state.lookup(word)?)));
        Ok(words.map(|(word, value)| (word, value.to_string())).collect())
    }
}

/// One line without control characters: nothing a person writes can begin a header of its own.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}'))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undefined_name_is_an_error() {
        let mut templates = Templates::embedded().unwrap();
        templates.environment.add_template("typo.html.j2", "Dear {{ customer.nmae }}").unwrap();
        let facts = minijinja::context! { customer => minijinja::context! { name => "Ada" } };
        let error = templates.environment.get_template("typo.html.j2").unwrap().render(facts).unwrap_err();
        assert_eq!(error.kind(), minijinja::ErrorKind::UndefinedError);
    }

    #[test]
    fn every_template_file_is_embedded() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../templates"));
        let mut files: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| {
                let path = file.unwrap().path();
                path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/")
            })
            .collect();
        let mut embedded: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        embedded.sort_unstable();
        assert_eq!(files, embedded);
    }

    #[test]
    fn every_language_has_the_same_words() {
        let names = |name: &str| -> Vec<String> {
            let (_, source) = TEMPLATES.iter().find(|(found, _)| *found == name).unwrap();
            source.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
        };
        let kinds = NotificationKind::ALL.into_iter();
        for folder in kinds.map(NotificationKind::as_str).chain(["layout"]) {
            let english = names(&format!("{folder}/words.en.j2"));
            assert!(!english.is_empty());
            assert_eq!(english, names(&format!("{folder}/words.de.j2")), "{folder}");
        }
    }
}
