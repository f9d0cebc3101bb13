//! Entity tags (RFC 9110 §8.8.3, §13.1): `If-Match` by revision, `If-None-Match` by tag.

use punctual_core::types::{ExpectedRev, Rev};

use crate::http::problem::{Code, Place, Problem};

/// Whether an `If-None-Match` field names the tag; weak comparison.
pub fn contains(field: &str, tag: &str) -> bool {
    field.trim() == "*" || field.split(',').any(|item| opaque(item) == Some(tag))
}

/// The revision that an `If-Match` field expects: `"3"`, `W/"3"`, `3` or `*`.
///
/// # Errors
/// `precondition_required` without the field, `invalid_request` when it is not a revision.
pub fn expected(field: Option<&str>) -> Result<ExpectedRev, Problem> {
    let field = field.ok_or_else(|| Problem::new(Code::PreconditionRequired))?.trim();
    if field == "*" {
        return Ok(ExpectedRev::Any);
    }
    let rev = opaque(field).or(Some(field)).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match rev.and_then(|text| text.parse().ok()) {
        Some(rev) => Ok(ExpectedRev::Exactly(Rev(rev))),
        None => Err(Problem::invalid_at(
            Place::Header,
            "/If-Match",
            "format",
            "must be a revision such as \"3\", or *",
        )),
    }
}

/// The tag between its quotes, weak or strong.
pub fn opaque(item: &str) -> Option<&str> {
    let item = item.trim();
    let quoted = item.strip_prefix("W/").unwrap_or(item);
    quoted.strip_prefix('"')?.strip_suffix('"').filter(|tag| !tag.contains('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_a_revision_or_a_star() {
        for field in ["\"3\"", "W/\"3\"", " \"3\" ", "3"] {
            assert_eq!(expected(Some(field)).unwrap(), ExpectedRev::Exactly(Rev(3)), "{field}");
        }
        assert_eq!(expected(Some("*")).unwrap(), ExpectedRev::Any);
        assert_eq!(expected(None).unwrap_err().code, Code::PreconditionRequired);
        for field in ["x", "-3", "\"\"", "\"x\"", "\"-3\"", "\"3\", \"4\"", "w/\"3\"", "\"99999999999\"", ""]
        {
            assert_eq!(expected(Some(field)).unwrap_err().code, Code::InvalidRequest, "{field}");
        }
    }

    #[test]
    fn if_none_match_is_a_list() {
        assert!(contains("\"a\", W/\"b\"", "b") && contains("*", "b") && !contains("\"a\"", "b"));
    }
}
