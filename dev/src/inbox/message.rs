//! A parsed mail.

use chrono::{DateTime, SecondsFormat, Utc};
use mail_parser::{Address, MessageParser, MimeHeaders as _, PartType};
use serde::{Deserialize, Serialize};

/// A received mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: Summary,
    /// Header fields in their order, unfolded, as written (not decoded).
    pub headers: Vec<(String, String)>,
    /// The text part, empty when there is none.
    pub text: String,
    /// The HTML part, empty when there is none.
    pub html: String,
    /// Other parts, the calendar among them.
    pub attachments: Vec<Attachment>,
    /// The whole mail as received over SMTP.
    pub raw: String,
}

/// What lists show of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Assigned by the inbox.
    pub id: String,
    /// RFC 3339, the machine's clock.
    pub received_at: String,
    /// Sender of the envelope.
    pub envelope_from: String,
    /// Recipients of the envelope.
    pub envelope_to: Vec<String>,
    /// Header field From, decoded.
    pub from: String,
    /// Header field To, decoded.
    pub to: String,
    /// Header field Subject, decoded.
    pub subject: String,
    /// Header field Message-ID without its brackets: the same for copies of one mail.
    pub message_id: String,
}

/// A part that is neither the text nor the HTML.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, may be empty.
    pub name: String,
    /// Media type with its parameters.
    pub content_type: String,
    /// Its content when it is text, a calendar for instance.
    pub text: Option<String>,
    /// Size in bytes after decoding.
    pub size: usize,
}

impl Message {
    /// Parses a mail; parts that do not parse are empty, `raw` is always complete.
    pub(super) fn parse(
        id: String,
        received_at: DateTime<Utc>,
        envelope: (String, Vec<String>),
        raw: &[u8],
    ) -> Self {
        let parsed = MessageParser::default().parse(raw).unwrap_or_default();
        let headers = parsed.headers_raw().map(|(name, value)| (name.to_owned(), unfold(value))).collect();
        let mut message = Self {
            summary: Summary {
                id,
                received_at: received_at.to_rfc3339_opts(SecondsFormat::Millis, true),
                envelope_from: envelope.0,
                envelope_to: envelope.1,
                from: addresses(parsed.from()),
                to: addresses(parsed.to()),
                subject: parsed.subject().unwrap_or_default().to_owned(),
                message_id: parsed.message_id().unwrap_or_default().to_owned(),
            },
            headers,
            text: String::new(),
            html: String::new(),
            attachments: Vec::new(),
            raw: String::from_utf8_lossy(raw).into_owned(),
        };
        for part in &parsed.parts {
            let content_type = part.content_type();
            let main = content_type.map_or("text", |content_type| content_type.ctype());
            let sub = content_type.and_then(|content_type| content_type.subtype()).unwrap_or("plain");
            let kind = format!("{main}/{sub}").to_ascii_lowercase();
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Text(text) if kind == "text/plain" && message.text.is_empty() => {
                    message.text = text.to_string();
                }
                PartType::Html(html) if message.html.is_empty() => message.html = html.to_string(),
                _ => message.attachments.push(Attachment {
                    name: part.attachment_name().unwrap_or_default().to_owned(),
                    content_type: part
                        .headers()
                        .iter()
                        .find(|header| header.name().eq_ignore_ascii_case("content-type"))
                        .and_then(|header| {
                            raw.get(header.offset_start() as usize..header.offset_end() as usize)
                        })
                        .map_or(kind, |value| unfold(&String::from_utf8_lossy(value))),
                    text: text_of(part.contents(), main, sub),
                    size: part.contents().len(),
                }),
            }
        }
        message
    }

    /// The calendar part, if there is one.
    #[must_use]
    pub fn calendar(&self) -> Option<&str> {
        let part = self.attachments.iter().find(|part| part.content_type.starts_with("text/calendar"))?;
        part.text.as_deref()
    }

    /// The first header field of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

fn text_of(content: &[u8], main: &str, sub: &str) -> Option<String> {
    let is_text = main.eq_ignore_ascii_case("text") || sub.eq_ignore_ascii_case("ics");
    is_text.then(|| String::from_utf8_lossy(content).into_owned())
}

fn unfold(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn addresses(list: Option<&Address<'_>>) -> String {
    let shown = list.into_iter().flat_map(Address::iter).map(|address| {
        let email = address.address().unwrap_or_default();
        address.name().map_or_else(|| email.to_owned(), |name| format!("{name} <{email}>"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_with_text_html_and_a_calendar_is_parsed() {
        let raw = concat!(
            "From: =?utf-8?q?Sal=C3=B3n?= <hello@salon.test>\r\nTo: ada@example.org\r\n",
            "Subject: =?utf-8?q?Best=C3=A4tigt?=\r\nMessage-ID: <1@salon.test>\r\n",
            "List-Unsubscribe: <https://salon.test/u/1>,\r\n <mailto:x@salon.test>\r\nMIME-Version: 1.0\r\n",
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n",
            "--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n",
            "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n",
            "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\r\n",
            "--b\r\nContent-Type: text/calendar; method=REQUEST;\r\n charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n",
            "--a\r\nContent-Type: application/ics\r\nContent-Disposition: attachment; filename=invite.ics\r\n\r\n",
            "BEGIN:VCALENDAR\r\n--a--\r\n",
        );
        let envelope = ("bounce@salon.test".to_owned(), vec!["ada@example.org".to_owned()]);
        let message = Message::parse("1".into(), DateTime::UNIX_EPOCH, envelope, raw.as_bytes());
        assert_eq!(message.summary.from, "Salón <hello@salon.test>");
        assert_eq!(
            (message.summary.subject.as_str(), message.summary.message_id.as_str()),
            ("Bestätigt", "1@salon.test")
        );
        assert_eq!((message.text.trim(), message.html.trim()), ("Hello", "<p>Hello</p>"));
        assert_eq!(message.calendar().map(str::trim), Some("BEGIN:VCALENDAR"));
        assert_eq!(
            message.header("list-unsubscribe"),
            Some("<https://salon.test/u/1>, <mailto:x@salon.test>")
        );
        let parts: Vec<_> =
            message.attachments.iter().map(|part| (part.name.as_str(), part.content_type.as_str())).collect();
        assert_eq!(
            parts,
            [("", "text/calendar; method=REQUEST; charset=utf-8"), ("invite.ics", "application/ics")]
        );
    }
}
