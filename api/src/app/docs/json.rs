//! Reading the document, and its Markdown as HTML.

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use serde_json::Value;

/// Markdown of the document as HTML.
pub fn prose(markdown: &Value) -> String {
    html_of(markdown.as_str().unwrap_or_default())
}

/// Markdown as HTML. HTML in it is shown as text; links to files beside it, which are not served, become their text.
pub fn html_of(markdown: &str) -> String {
    let is_file = |url: &str| {
        let path = url.split_once('#').map_or(url, |(path, _)| path);
        !url.contains("://") && Path::new(path).extension().is_some_and(|extension| extension == "md")
    };
    let mut in_file_link = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Link { dest_url, .. }) if is_file(&dest_url) => {
            in_file_link = true;
            None
        }
        Event::End(TagEnd::Link) if in_file_link => {
            in_file_link = false;
            None
        }
        other => Some(other),
    });
    let mut made = String::new();
    html::push_html(&mut made, events);
    made.replace("<pre>", "<pre tabindex=\"0\">")
}

/// A JSON string; empty if it is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
