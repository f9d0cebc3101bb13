//! The stylesheet of the desk. Pages allow no inline styles, so classes place a card: `r12` is its first row, `h9` its
//! number of rows. A row is five minutes.

use std::{fmt::Write as _, sync::OnceLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{Response, http::header};
use sha2::{Digest, Sha256};

use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{Page, named, visit::Visit},
};

/// Minutes of a row.
pub const ROW_MIN: u32 = 5;
/// Rows of a day.
const ROWS: u32 = 24 * 60 / ROW_MIN;

/// `/desk/style.css`
pub struct Style;

impl Page for Style {
    const OPERATION: &'static Operation = &named("deskStyle");
    const PATTERN: &'static str = "/desk/style.css";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let named = visit.query_param("v") == Some(version());
        let kept = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
        Ok(Response::builder()
            .content_type("text/css; charset=utf-8")
            .header(header::CACHE_CONTROL, kept)
            .body(style()))
    }
}

/// Hash of the content in the URL, so that browsers can cache it without limit.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| URL_SAFE_NO_PAD.encode(&Sha256::digest(style())[..9]))
}

fn style() -> &'static str {
    static STYLE: OnceLock<String> = OnceLock::new();
    STYLE.get_or_init(|| {
        let mut css = include_str!("../../../templates/desk/style.css").to_owned();
        css.push_str("@media screen and (min-width: 48rem) {\n");
        for row in 0..=ROWS {
            // Writing to a String cannot fail.
            let _ = writeln!(
                css,
                ".r{row} {{ grid-row-start: {} }} .h{row} {{ grid-row-end: span {row} }}",
                row + 1
            );
        }
        css.push_str("}\n");
        css
    })
}
