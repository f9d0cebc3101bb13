//! Templates and responses of the ops pages.

use std::sync::OnceLock;

use minijinja::{Environment, Value, value::Serde};
use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use punctual_core::Error;
use serde::Serialize;

use super::words;
use crate::http::{html, problem::Problem};

/// Every file of `templates/ops/` except style and script.
const TEMPLATES: &[(&str, &str)] = html::embedded!(
    "ops/",
    [
        "layout.html.j2",
        "overview.html.j2",
        "booking.html.j2",
        "jobs.html.j2",
        "job.html.j2",
        "confirm.html.j2",
        "limits.html.j2",
        "actions.html.j2",
        "mails.html.j2",
        "webhooks.html.j2",
        "webhook.html.j2",
        "webhook_delivery.html.j2",
        "confirm_webhook.html.j2",
        "login.html.j2",
        "problem.html.j2",
    ]
);

const STYLE: &str = include_str!("../../../templates/ops/style.css");

struct Pages {
    environment: Environment<'static>,
    /// Policy: one style by its hash, and one script, which may fetch these pages.
    policy: HeaderValue,
}

impl Pages {
    fn new() -> Result<Self, minijinja::Error> {
        let mut environment = html::environment(TEMPLATES, STYLE)?;
        environment.add_filter("number", words::number);
        let style = html::style_source(STYLE);
        let policy = html::policy(&format!(
            "default-src 'none'; style-src {style}; script-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ));
        Ok(Self { environment, policy })
    }
}

fn pages() -> Result<&'static Pages, minijinja::Error> {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    html::made_once(&PAGES, Pages::new)
}

/// Renders this template with its data; `form_token` if an administrator is logged in.
///
/// # Errors
/// `internal_error` when a template uses an undefined name, which tests exclude.
pub fn page(
    status: StatusCode,
    template: &str,
    root: String,
    form_token: Option<&str>,
    facts: &impl Serialize,
) -> Result<Response, Problem> {
    let render = || {
        let pages = pages()?;
        let facts = Value::from(Serde(facts));
        let everything = minijinja::context! { root, form_token, ..facts };
        Ok((pages.environment.get_template(template)?.render(everything)?, pages.policy.clone()))
    };
    let (text, policy) = render()
        .map_err(|error: minijinja::Error| Problem::from(Error::internal("a page's template", error)))?;
    Ok(Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header("x-robots-tag", "noindex")
        .body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_embedded() {
        html::assert_all_embedded(TEMPLATES, "ops", &[""]);
    }

    #[test]
    fn the_style_cannot_end_early() {
        assert!(!STYLE.contains('<') && pages().is_ok());
    }
}
