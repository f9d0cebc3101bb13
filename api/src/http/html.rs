//! What all server-rendered pages share: the environment of their embedded templates, and their
//! Content-Security-Policy (W3C CSP Level 3).

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, UndefinedBehavior, Value};
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

/// Templates, by name and source, in which an undefined name is an error. `style` is their global of that name.
///
/// # Errors
/// When a template does not parse.
pub fn environment(
    templates: &[(&'static str, &'static str)],
    style: &str,
) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in templates {
        environment.add_template(name, source)?;
    }
    environment.add_global("style", Value::from_safe_string(style.to_owned()));
    Ok(environment)
}

/// The policy source that allows an inline style of exactly this text.
#[must_use]
pub fn style_source(style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
}

/// A Content-Security-Policy; one that allows nothing where the text is no valid header value.
#[must_use]
pub fn policy(directives: &str) -> HeaderValue {
    HeaderValue::from_str(directives).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
