//! The inbox as pages without scripts.

use std::sync::OnceLock;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::message::{Message, Summary};

/// The newest mails as a list.
pub(super) fn list(messages: &[Summary]) -> String {
    render("list.html", context! { messages => Serde(messages) })
}

/// One mail: its HTML in a sandboxed frame, its text, its calendar, its header fields, its source.
pub(super) fn message(message: &Message) -> String {
    render("message.html", context! { message => Serde(message), calendar => message.calendar() })
}

fn render(name: &str, values: Value) -> String {
    let rendered = environment().get_template(name).and_then(|template| template.render(values));
    rendered.unwrap_or_else(|error| format!("the page has a fault: {error}"))
}

/// Names end in .html, so values are escaped.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        let templates = [
            ("layout.html", include_str!("layout.html.j2")),
            ("list.html", include_str!("list.html.j2")),
            ("message.html", include_str!("message.html.j2")),
        ];
        for (name, source) in templates {
            environment.add_template(name, source).expect("the inbox' own templates parse");
        }
        environment
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_subject_with_markup_is_shown_and_not_run() {
        let raw = "Subject: <script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n<b>hi</b>";
        let mail = Message::parse("7".into(), DateTime::UNIX_EPOCH, (String::new(), vec![]), raw.as_bytes());
        for page in [list(std::slice::from_ref(&mail.summary)), message(&mail)] {
            assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
            assert!(!page.contains("<script") && !page.contains("<b>hi"), "{page}");
        }
        assert!(message(&mail).contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));
    }
}
