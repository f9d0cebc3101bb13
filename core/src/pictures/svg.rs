//! SVG: rewritten from elements and attributes that draw. Scripts, event handlers, styles and outside references are
//! removed, so that it can be shown anywhere.

use quick_xml::escape::escape;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::types::ParseError;

const ELEMENTS: [&str; 22] = [
    "svg",
    "g",
    "defs",
    "title",
    "desc",
    "symbol",
    "use",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "mask",
    "pattern",
];

const ATTRIBUTES: [&str; 67] = [
    "id",
    "viewBox",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "fx",
    "fy",
    "dx",
    "dy",
    "d",
    "points",
    "transform",
    "preserveAspectRatio",
    "fill",
    "fill-opacity",
    "fill-rule",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "opacity",
    "color",
    "display",
    "visibility",
    "clip-path",
    "clip-rule",
    "clipPathUnits",
    "mask",
    "maskUnits",
    "maskContentUnits",
    "offset",
    "stop-color",
    "stop-opacity",
    "gradientUnits",
    "gradientTransform",
    "spreadMethod",
    "patternUnits",
    "patternContentUnits",
    "patternTransform",
    "font-family",
    "font-size",
    "font-weight",
    "font-style",
    "letter-spacing",
    "text-anchor",
    "dominant-baseline",
    "textLength",
    "lengthAdjust",
    "rotate",
    "vector-effect",
    "href",
    "xlink:href",
    "version",
];

/// Deepest nesting that is accepted.
const DEPTH: usize = 64;

const BAD: ParseError = ParseError::new("bad_svg", "not a PNG picture, and not a well-formed SVG one");

/// The picture of its drawing parts.
pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BAD)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut cleaned = String::with_capacity(text.len());
    let mut open: Vec<String> = Vec::new();
    // Depth inside an element that is removed.
    let mut skipped = 0_usize;
    loop {
        match reader.read_event().map_err(|_| BAD)? {
            Event::Start(_) if skipped > 0 => skipped += 1,
            Event::End(_) if skipped > 0 => skipped -= 1,
            Event::Start(tag) => match kept(&tag)? {
                Some(name) => {
                    if (open.is_empty() && (name != "svg" || !cleaned.is_empty())) || open.len() >= DEPTH {
                        return Err(BAD);
                    }
                    write_tag(&mut cleaned, &name, tag.attributes(), open.is_empty(), false)?;
                    open.push(name);
                }
                None => skipped = 1,
            },
            Event::Empty(tag) if skipped == 0 && !open.is_empty() => {
                if let Some(name) = kept(&tag)? {
                    write_tag(&mut cleaned, &name, tag.attributes(), false, true)?;
                }
            }
            Event::End(_) => {
                let name = open.pop().ok_or(BAD)?;
                cleaned.extend(["</", name.as_str(), ">"]);
            }
            Event::Text(text) if skipped == 0 && !open.is_empty() => {
                let text = text.unescape().map_err(|_| BAD)?;
                cleaned.push_str(&escape(text.as_ref()));
            }
            Event::Eof if open.is_empty() && skipped == 0 && !cleaned.is_empty() => {
                return Ok(cleaned.into_bytes());
            }
            Event::Eof => return Err(BAD),
            // Comments, instructions, the document type with its entities, raw text.
            _ => {}
        }
    }
}

/// The element's name, if it draws.
fn kept(tag: &BytesStart<'_>) -> Result<Option<String>, ParseError> {
    let name = tag.name();
    let name = std::str::from_utf8(name.as_ref()).map_err(|_| BAD)?;
    let name = name.strip_prefix("svg:").unwrap_or(name);
    Ok(ELEMENTS.contains(&name).then(|| name.to_owned()))
}

fn write_tag(
    cleaned: &mut String,
    name: &str,
    attributes: Attributes<'_>,
    root: bool,
    empty: bool,
) -> Result<(), ParseError> {
    cleaned.push('<');
    cleaned.push_str(name);
    if root {
        cleaned
            .push_str(" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"");
    }
    for attribute in attributes {
        let attribute = attribute.map_err(|_| BAD)?;
        let key = std::str::from_utf8(attribute.key.as_ref()).map_err(|_| BAD)?;
        let value = attribute.unescape_value().map_err(|_| BAD)?;
        if key == "style" {
            // As its declarations, each an attribute of its own.
            for (key, value) in value.split(';').filter_map(|part| part.split_once(':')) {
                write_attribute(cleaned, key.trim(), value.trim());
            }
        } else {
            write_attribute(cleaned, key, &value);
        }
    }
    cleaned.push_str(if empty { "/>" } else { ">" });
    Ok(())
}

/// Writes it if it draws, and refers to nothing outside the picture.
fn write_attribute(cleaned: &mut String, key: &str, value: &str) {
    let refers = value.to_ascii_lowercase();
    let outside = refers
        .match_indices("url(")
        .any(|(at, _)| !refers[at + 4..].trim_start_matches([' ', '\'', '"']).starts_with('#'));
    let elsewhere = matches!(key, "href" | "xlink:href") && !value.trim_start().starts_with('#');
    if ATTRIBUTES.contains(&key) && !outside && !elsewhere && !value.contains('\\') {
        cleaned.extend([" ", key, "=\"", &escape(value), "\""]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        String::from_utf8(clean(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_logo_keeps_what_draws() {
        let logo = "<?xml version=\"1.0\"?><!DOCTYPE svg><!-- by hand --><svg xmlns=\"http://www.w3.org/2000/svg\" \
                    viewBox=\"0 0 8 8\"><title>A &amp; B</title><path d=\"M0 0h8v8z\" style=\"fill:#1d6f5c;-x:1\"/></svg>";
        let clean = cleaned(logo);
        assert!(clean.starts_with("<svg xmlns=") && clean.ends_with("</svg>"), "{clean}");
        assert!(
            clean.contains("<path d=\"M0 0h8v8z\" fill=\"#1d6f5c\"/>") && clean.contains("A &amp; B"),
            "{clean}"
        );
        assert_eq!(cleaned(&clean), clean);
    }

    #[test]
    fn scripts_events_and_what_is_elsewhere_are_left_out() {
        let hostile = "<svg onload=\"alert(1)\"><script>alert(2)</script><script/><g onclick=\"alert(3)\">\
            <foreignObject><body><iframe src=\"https://evil.example\"/></body></foreignObject>\
            <image href=\"https://evil.example/a.png\"/><use href=\"https://evil.example/#a\"/><a href=\"javascript:alert(4)\">x</a>\
            <rect fill=\"url( 'https://evil.example/' )\" style=\"fill:url(//evil.example);stroke:\\75rl(//evil.example)\"/>\
            <style>@import 'https://evil.example'</style><animate attributeName=\"href\" to=\"javascript:alert(5)\"/>\
            <set attributeName=\"onload\"/><use xlink:href=\"#fine\"/></g></svg>";
        let clean = cleaned(hostile);
        for trace in ["alert", "evil", "script", "style", "import", "foreign", "<a", "animate"] {
            assert!(!clean.contains(trace), "{trace} in {clean}");
        }
        assert!(clean.contains("<use xlink:href=\"#fine\"/>"), "{clean}");
    }

    #[test]
    fn what_is_no_svg_is_refused() {
        let deep = format!("<svg>{}{}</svg>", "<g>".repeat(100), "</g>".repeat(100));
        let entity = "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg><text>&a;</text></svg>";
        for bad in [
            "",
            "hello",
            "<svg>",
            "<svg></g></svg>",
            "<html></html>",
            "<svg/>",
            "<svg></svg><svg></svg>",
            &deep,
            entity,
        ] {
            assert_eq!(clean(bad.as_bytes()).unwrap_err().code, "bad_svg", "{bad}");
        }
        assert!(clean(b"<svg>\xff</svg>").is_err());
    }
}
