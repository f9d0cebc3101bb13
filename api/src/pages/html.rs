//! The templates, embedded in the program, and how a page is sent. An undefined name is an error, never a gap.

use std::{collections::BTreeMap, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, UndefinedBehavior, Value, value::Serde};
use poem::{
    Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use punctual_core::{Error, types::Locale};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

/// Every file of `templates/` but the style.
const TEMPLATES: &[(&str, &str)] = embedded![
    "layout.html.j2",
    "appointment.html.j2",
    "manage.html.j2",
    "cancel.html.j2",
    "customer.html.j2",
    "decide.html.j2",
    "decline.html.j2",
    "move.html.j2",
    "reminders.html.j2",
    "verify.html.j2",
    "password.html.j2",
    "trouble.html.j2",
    "words.de.j2",
    "words.en.j2",
];

const STYLE: &str = include_str!("../../templates/style.css");

/// Everything pages are made of.
struct Pages {
    environment: Environment<'static>,
    words: [BTreeMap<String, String>; 2],
    /// Nothing is loaded, run or framed; the one style is allowed by its hash.
    policy: HeaderValue,
}

impl Pages {
    fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        environment.add_global("style", Value::from_safe_string(STYLE.to_owned()));
        let words = [words(&environment, Locale::En)?, words(&environment, Locale::De)?];
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Ok(Self { environment, words, policy })
    }

    fn words(&self, locale: Locale) -> &BTreeMap<String, String> {
        let [english, german] = &self.words;
        match locale {
            Locale::En => english,
            Locale::De => german,
        }
    }
}

/// The sentences of a language, as plain text: HTML escapes them where it shows them.
fn words(
    environment: &Environment<'_>,
    locale: Locale,
) -> Result<BTreeMap<String, String>, minijinja::Error> {
    let captured = environment.get_template(&format!("words.{}.j2", locale.as_str()))?.render_captured(())?;
    let state = captured.state();
    let words = state.exports().into_iter().filter_map(|word| Some((word.to_owned(), state.lookup(word)?)));
    Ok(words.map(|(word, value)| (word, value.to_string())).collect())
}

fn pages() -> Result<&'static Pages, minijinja::Error> {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    if let Some(pages) = PAGES.get() {
        return Ok(pages);
    }
    let pages = Pages::new()?;
    Ok(PAGES.get_or_init(|| pages))
}

/// The page made of this template, what it is to show, and the words of a language.
///
/// # Errors
/// `internal_error` when a template names something that is not there: the tests would have shown it.
pub(super) fn page(
    status: StatusCode,
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
) -> Result<Response, Problem> {
    render(status, template, locale, facts)
        .map_err(|error| Error::internal("a page's template", error).into())
}

fn render(
    status: StatusCode,
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
) -> Result<Response, minijinja::Error> {
    let pages = pages()?;
    let facts = Value::from(Serde(facts));
    let everything = minijinja::context! { locale => locale.as_str(), words => pages.words(locale), ..facts };
    let text = pages.environment.get_template(template)?.render(everything)?;
    Ok(Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_LANGUAGE, locale.as_str())
        .header(header::CONTENT_SECURITY_POLICY, pages.policy.clone())
        .header("x-robots-tag", "noindex")
        .body(text))
}

/// To another page, after a form was taken.
pub(super) fn see_other(location: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, location)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}

/// The first language of `Accept-Language` that we speak; English without one.
pub fn accepted_language(headers: &HeaderMap) -> Locale {
    let fields = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut languages = fields.flat_map(|field| field.split(',')).filter_map(|item| {
        let tag = item.split(';').next()?.trim().get(..2)?.to_ascii_lowercase();
        Locale::parse(&tag).ok()
    });
    languages.next().unwrap_or(Locale::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
        let mut files: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .map(|file| file.unwrap())
            .filter(|file| file.path().is_file())
            .map(|file| file.file_name().into_string().unwrap())
            .filter(|name| name != "style.css")
            .collect();
        let mut embedded: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        embedded.sort_unstable();
        assert_eq!(files, embedded);
    }

    #[test]
    fn every_language_has_the_same_words() {
        let pages = pages().unwrap();
        let names = |locale| pages.words(locale).keys().collect::<Vec<_>>();
        assert!(!names(Locale::En).is_empty());
        assert_eq!(names(Locale::En), names(Locale::De));
    }

    #[test]
    fn the_style_cannot_end_early_and_its_hash_is_allowed() {
        assert!(!STYLE.contains('<'));
        assert!(pages().unwrap().policy.to_str().unwrap().contains("style-src 'sha256-"));
    }

    #[test]
    fn the_first_language_we_speak_is_taken() {
        let of = |field: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, field.parse().unwrap());
            accepted_language(&headers)
        };
        assert_eq!(of("fr, de-AT;q=0.9, en;q=0.8"), Locale::De);
        assert_eq!(of("en-GB,de;q=0.5"), Locale::En);
        assert_eq!(of("fr"), Locale::En);
        assert_eq!(of("\u{e4}"), Locale::En);
    }
}
