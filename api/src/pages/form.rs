use poem::{
    Request,
    http::{HeaderMap, Uri, header},
};

use crate::http::{
    body,
    problem::{Code, Place, Problem},
};

/// A sent form.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads it; refuses forms of other sites.
    ///
    /// # Errors
    /// `forbidden` from another site; those of a body.
    pub async fn read(request: &mut Request) -> Result<Self, Problem> {
        if !is_from_here(request.headers()) {
            return Err(Problem::new(Code::Forbidden).detail("The form was sent from another site."));
        }
        let body = request.take_body();
        let bytes = body::whole(request, body, body::LIMIT).await?;
        Ok(Self { fields: form_urlencoded::parse(&bytes).into_owned().collect() })
    }

    /// A field's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The texts of a field that can be sent several times.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field that the page's own form always sends well-formed.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn value<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
        let value = self.text(name).and_then(parse);
        value.ok_or_else(|| {
            Problem::invalid_at(Place::Body, format!("/{name}"), "format", "is not of the expected form")
        })
    }
}

/// Whether this site sent the form, in addition to the secret of its URL. Browsers send `Sec-Fetch-Site`. Older ones send
/// `Origin` only, which is `null` for our forms too, because our pages send no referrer. Programs send neither.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let fetch_site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match (fetch_site, text(header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == "null" || authority(origin).as_deref() == text(header::HOST),
        (None, None) => true,
    }
}

fn authority(origin: &str) -> Option<String> {
    origin.parse::<Uri>().ok()?.authority().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(headers: &[(&'static str, &str)]) -> bool {
        is_from_here(
            &headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        )
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        assert!(from_here(&[]));
        assert!(from_here(&[("host", "book.example.org"), ("origin", "https://book.example.org")]));
        assert!(from_here(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]));
        assert!(from_here(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!from_here(&[("sec-fetch-site", "cross-site"), ("origin", "null")]));
        assert!(!from_here(&[("sec-fetch-site", "same-site")]));
        assert!(!from_here(&[("host", "book.example.org"), ("origin", "https://evil.example")]));
        assert!(!from_here(&[("host", "book.example.org"), ("origin", "not a url")]));
    }
}
