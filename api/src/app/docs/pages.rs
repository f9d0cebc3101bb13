//! Templates and responses of the reference's pages.

use std::sync::OnceLock;

use minijinja::{Environment, Value, value::Serde};
use poem::{
    Response,
    http::{HeaderValue, header},
};
use punctual_core::Error;
use serde::Serialize;

use crate::http::{html, problem::Problem};

const TEMPLATES: &[(&str, &str)] = html::embedded!(
    "docs/",
    [
        "layout.html.j2",
        "parts.html.j2",
        "index.html.j2",
        "operation.html.j2",
        "schema.html.j2",
        "recipes.html.j2",
        "llms.txt.j2",
    ]
);

const STYLE: &str = include_str!("../../../templates/docs/style.css");

struct Pages {
    environment: Environment<'static>,
    /// One style by its hash; nothing else.
    policy: HeaderValue,
}

impl Pages {
    fn new() -> Result<Self, minijinja::Error> {
        let mut environment = html::environment(TEMPLATES, STYLE)?;
        environment.add_filter("markup", |html: String| Value::from_safe_string(html));
        let style = html::style_source(STYLE);
        let policy = html::policy(&format!(
            "default-src 'none'; style-src {style}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        ));
        Ok(Self { environment, policy })
    }
}

fn pages() -> Result<&'static Pages, minijinja::Error> {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    html::made_once(&PAGES, Pages::new)
}

/// Renders this template; `root` is the relative path to the top of the site.
///
/// # Errors
/// `internal_error` when a template uses an undefined name, which tests exclude.
pub fn text(template: &str, root: &str, facts: &impl Serialize) -> Result<String, Problem> {
    render(template, root, facts).map_err(|error| Error::internal("a page's template", error).into())
}

/// [`text`] as a page.
///
/// # Errors
/// As [`text`].
pub fn page(template: &str, root: &str, facts: &impl Serialize) -> Result<Response, Problem> {
    let text = text(template, root, facts)?;
    let policy =
        pages().map(|pages| pages.policy.clone()).map_err(|error| Error::internal("a page", error))?;
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .body(text))
}

fn render(template: &str, root: &str, facts: &impl Serialize) -> Result<String, minijinja::Error> {
    let everything = minijinja::context! { root, ..Value::from(Serde(facts)) };
    pages()?.environment.get_template(template)?.render(everything)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded() {
        html::assert_all_embedded(TEMPLATES, "docs", &[""]);
    }

    #[test]
    fn the_style_cannot_end_early() {
        assert!(!STYLE.contains('<') && pages().is_ok());
    }
}
