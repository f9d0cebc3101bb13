//! What all server-rendered pages share: the environment of their embedded templates, and their
//! Content-Security-Policy (W3C CSP Level 3).

use std::sync::OnceLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, UndefinedBehavior, Value};
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

/// The name and source of these files of `templates/` and a folder in it, such as `"ops/"`.
macro_rules! embedded {
    ($folder:literal, [$($name:literal),+ $(,)?]) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $folder, $name)))),+]
    };
}
pub(crate) use embedded;

/// The value of the cell, made at the first call.
///
/// # Errors
/// Those of `make`; the next call makes it again.
pub fn made_once<T>(
    cell: &'static OnceLock<T>,
    make: impl FnOnce() -> Result<T, minijinja::Error>,
) -> Result<&'static T, minijinja::Error> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

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

/// Asserts that these are all templates of the folders, whose names begin at `templates/` and `root`.
#[cfg(test)]
pub(crate) fn assert_all_embedded(templates: &[(&str, &str)], root: &str, folders: &[&str]) {
    use std::path::Path;

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(root);
    let in_folder = |folder: &&str| {
        let names = std::fs::read_dir(root.join(folder)).unwrap();
        let names = names.map(|file| format!("{folder}{}", file.unwrap().file_name().to_str().unwrap()));
        names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "j2")).collect::<Vec<_>>()
    };
    let mut files: Vec<String> = folders.iter().flat_map(in_folder).collect();
    let mut embedded: Vec<&str> = templates.iter().map(|(name, _)| *name).collect();
    files.sort_unstable();
    embedded.sort_unstable();
    assert_eq!(files, embedded);
}
