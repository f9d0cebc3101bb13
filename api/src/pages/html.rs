//! The embedded templates, and responses of pages. An undefined name is an error, never a gap.

use std::{collections::BTreeMap, sync::OnceLock};

use minijinja::{Environment, Value, value::Serde};
use poem::{
    Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use punctual_core::{
    Error,
    types::{AccentColour, LanguageTag, Locale},
};
use serde::Serialize;

use crate::http::{html, problem::Problem};

/// Every file of `templates/` except the style.
const TEMPLATES: &[(&str, &str)] = html::embedded!(
    "",
    [
        "layout.html.j2",
        "links.html.j2",
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
        "error.html.j2",
        "account/appointments.html.j2",
        "account/forgotten.html.j2",
        "account/login.html.j2",
        "account/profile.html.j2",
        "account/register.html.j2",
        "book/add.html.j2",
        "book/choice.html.j2",
        "book/contact.html.j2",
        "book/done.html.j2",
        "book/faults.html.j2",
        "book/fields.html.j2",
        "book/layout.html.j2",
        "book/services.html.j2",
        "book/summary.html.j2",
        "book/taken.html.j2",
        "book/times.html.j2",
        "book/error.html.j2",
        "book/visit-summary.html.j2",
        "book/visit.html.j2",
        "book/words.de.j2",
        "book/words.en.j2",
        "desk/act.html.j2",
        "desk/away-one.html.j2",
        "desk/away.html.j2",
        "desk/board.html.j2",
        "desk/booking.html.j2",
        "desk/business.html.j2",
        "desk/class.html.j2",
        "desk/closures.html.j2",
        "desk/customer.html.j2",
        "desk/customers.html.j2",
        "desk/fields.j2",
        "desk/hours.html.j2",
        "desk/keys.html.j2",
        "desk/layout.html.j2",
        "desk/login.html.j2",
        "desk/macros.j2",
        "desk/member.html.j2",
        "desk/move.html.j2",
        "desk/needs.html.j2",
        "desk/new-service.html.j2",
        "desk/new-time.html.j2",
        "desk/new-who.html.j2",
        "desk/numbers.html.j2",
        "desk/resource.html.j2",
        "desk/resources.html.j2",
        "desk/series.html.j2",
        "desk/service.html.j2",
        "desk/services.html.j2",
        "desk/settings.html.j2",
        "desk/staff-terms.html.j2",
        "desk/stranded.html.j2",
        "desk/team.html.j2",
        "desk/timetable.html.j2",
        "desk/error.html.j2",
        "desk/words.de.j2",
        "desk/words.en.j2",
        "words.de.j2",
        "words.en.j2",
    ]
);

const STYLE: &str = include_str!("../../templates/style.css");

/// All templates and words.
struct Pages {
    environment: Environment<'static>,
    words: [BTreeMap<String, String>; 2],
    /// The style as the policy of every page allows it.
    style_source: String,
}

/// Options of a page.
#[derive(Default)]
pub(super) struct PageOptions<'a> {
    /// The business's colour, else the default.
    pub accent: Option<AccentColour>,
    /// Relative path to the top of the site.
    pub root: &'a str,
    /// The query that links of this page keep: `?lang=de`, or nothing.
    pub carry: &'a str,
    /// Origins that may frame the page, separated by spaces; empty: none.
    pub framed_by: &'a str,
    /// Whether it loads a script.
    pub script: bool,
    /// Whether it is a page of the desk: it loads a stylesheet and a script, which fetches pages.
    pub desk: bool,
    /// Structured data for search engines (JSON-LD).
    pub linked_data: Option<String>,
    /// Whether search engines may list it and browsers may cache it with revalidation.
    pub public: bool,
}

impl Pages {
    fn new() -> Result<Self, minijinja::Error> {
        let environment = html::environment(TEMPLATES, STYLE)?;
        let words = [words(&environment, Locale::En)?, words(&environment, Locale::De)?];
        Ok(Self { environment, words, style_source: html::style_source(STYLE) })
    }

    fn words(&self, locale: Locale) -> &BTreeMap<String, String> {
        let [english, german] = &self.words;
        match locale {
            Locale::En => english,
            Locale::De => german,
        }
    }
}

/// The texts of a language, as plain text: templates escape them.
fn words(
    environment: &Environment<'_>,
    locale: Locale,
) -> Result<BTreeMap<String, String>, minijinja::Error> {
    let mut words = BTreeMap::new();
    for folder in ["", "book/", "desk/"] {
        let name = format!("{folder}words.{}.j2", locale.as_str());
        let captured = environment.get_template(&name)?.render_captured(())?;
        let state = captured.state();
        let of_file = state.exports().into_iter().filter_map(|word| Some((word, state.lookup(word)?)));
        words.extend(of_file.map(|(word, value)| (word.to_owned(), value.to_string())));
    }
    Ok(words)
}

fn pages() -> Result<&'static Pages, minijinja::Error> {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    html::made_once(&PAGES, Pages::new)
}

/// Renders this template with its data and the texts of a language.
///
/// # Errors
/// `internal_error` when a template uses an undefined name, which tests exclude.
pub(super) fn page(
    status: StatusCode,
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
) -> Result<Response, Problem> {
    show(status, template, locale, facts, &PageOptions::default())
}

/// [`page`] with options.
///
/// # Errors
/// As [`page`].
pub(super) fn show(
    status: StatusCode,
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
    shown: &PageOptions<'_>,
) -> Result<Response, Problem> {
    let text = text(template, locale, facts, shown)?;
    Ok(respond(status, text, locale, shown))
}

/// The text of a page.
///
/// # Errors
/// As [`page`].
pub(super) fn text(
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
    shown: &PageOptions<'_>,
) -> Result<String, Problem> {
    render(template, locale, facts, shown).map_err(|error| Error::internal("a page's template", error).into())
}

/// A page's text with its headers.
pub(super) fn respond(
    status: StatusCode,
    text: impl Into<poem::Body>,
    locale: Locale,
    shown: &PageOptions<'_>,
) -> Response {
    let style_source = pages().map(|pages| pages.style_source.as_str()).unwrap_or_default();
    let theme_source = html::style_source(&theme(shown.accent));
    let script = if shown.script || shown.desk { "script-src 'self'; " } else { "" };
    let (style, connect) = if shown.desk { (" 'self'", "connect-src 'self'; ") } else { ("", "") };
    let framed_by = if shown.framed_by.is_empty() { "'none'" } else { shown.framed_by };
    let policy = html::policy(&format!(
        "default-src 'none'; style-src {style_source} {theme_source}{style}; img-src 'self'; {script}{connect}\
         form-action 'self'; base-uri 'none'; frame-ancestors {framed_by}"
    ));
    let kept = if shown.public { "private, no-cache" } else { "no-store" };
    let mut response = Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, kept)
        .header(header::CONTENT_LANGUAGE, locale.as_str())
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .body(text);
    if shown.public {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    } else {
        response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    }
    response
}

fn render(
    template: &str,
    locale: Locale,
    facts: &impl Serialize,
    shown: &PageOptions<'_>,
) -> Result<String, minijinja::Error> {
    let pages = pages()?;
    let facts = Value::from(Serde(facts));
    // Within a script element a `<` could end it.
    let linked_data =
        shown.linked_data.as_ref().map(|json| Value::from_safe_string(json.replace('<', "\\u003c")));
    let everything = minijinja::context! {
        locale => locale.as_str(), words => pages.words(locale), theme => Value::from_safe_string(theme(shown.accent)),
        root => shown.root, carry => shown.carry, linked_data, ..facts
    };
    pages.environment.get_template(template)?.render(everything)
}

/// The business's colour in light and dark mode.
fn theme(accent: Option<AccentColour>) -> String {
    let accent = accent.unwrap_or(AccentColour::DEFAULT);
    format!(":root{{--brand:{accent};--brand-dark:{}}}", accent.on_dark())
}

/// Redirects after an accepted form.
pub(super) fn see_other(location: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, location)
        .header(header::CACHE_CONTROL, "no-store")
        .finish()
}

/// The first supported language of `Accept-Language`, else English.
pub fn accepted_language(headers: &HeaderMap) -> Locale {
    let fields = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut languages = fields
        .flat_map(|field| field.split(','))
        .filter_map(|item| LanguageTag::parse(item.split(';').next()?.trim()).ok()?.locale());
    languages.next().unwrap_or(Locale::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded() {
        html::assert_all_embedded(TEMPLATES, "", &["", "account/", "book/", "desk/"]);
    }

    #[test]
    fn no_words_replace_others_of_the_same_name() {
        for (file, source) in TEMPLATES.iter().filter(|(name, _)| name.contains("words.")) {
            let mut names = std::collections::BTreeSet::new();
            for name in source.split("{% set ").skip(1).map(|rest| rest.split_whitespace().next()) {
                assert!(names.insert(name), "{name:?} is twice in {file}");
            }
        }
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
        let response = respond(StatusCode::OK, "", Locale::En, &PageOptions::default());
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(&format!("style-src {} 'sha256-", html::style_source(STYLE))), "{policy}");
        assert!(!policy.contains("script"), "{policy}");
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
