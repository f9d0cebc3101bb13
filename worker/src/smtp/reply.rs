//! The relay's replies (RFC 5321 §4.2): the three digits decide, the text is for people.

use std::fmt;
use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::redact::without_addresses;

/// Bytes kept of one line. RFC 5321 allows 512; the rest of a longer line is skipped.
const MAX_LINE: usize = 1000;
/// Lines kept of one reply; further ones are skipped.
const MAX_LINES: usize = 50;

/// A reply. `Display` writes code and text in one line, without addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The code of the last line.
    pub code: u16,
    /// The text of each line. Bytes that are not UTF-8 are replaced.
    pub lines: Vec<String>,
}

impl Reply {
    /// 2xx: done.
    #[must_use]
    pub fn is_completion(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3xx: the relay expects more.
    #[must_use]
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// The text in one line, without addresses.
    #[must_use]
    pub fn text(&self) -> String {
        without_addresses(&self.lines.join(" "))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        let space = if text.is_empty() { "" } else { " " };
        write!(f, "{}{space}{text}", self.code)
    }
}

/// Reads one reply of any number of lines. Only the digits and the hyphen after them matter: the text may be missing, be
/// in any encoding, or be too long, and lines may end in a line feed alone.
///
/// # Errors
/// The connection's, or [`io::ErrorKind::InvalidData`] if a line does not begin with a reply code.
pub(super) async fn read_reply(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Reply> {
    let mut lines = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let Some(code) = reply_code(&line) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the reply is not SMTP"));
        };
        if lines.len() < MAX_LINES {
            let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default());
            lines.push(text.trim_end().to_owned());
        }
        if line.get(3) != Some(&b'-') {
            return Ok(Reply { code, lines });
        }
    }
}

/// The first three bytes as a code of RFC 5321: 2xx to 5xx.
fn reply_code(line: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(line.get(..3)?).ok()?;
    let code = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    let separated = line.get(3).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    ((200..600).contains(&code) && separated).then_some(code)
}

/// The line without its end, cut after [`MAX_LINE`] bytes.
async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let available = stream.fill_buf().await?;
        if available.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |end| end + 1);
        let room = MAX_LINE - line.len();
        line.extend_from_slice(&available[..end.unwrap_or(used).min(room)]);
        stream.consume(used);
        if end.is_some() {
            let kept = line.strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
            line.truncate(kept);
            return Ok(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Reply> {
        read_reply(&mut tokio::io::BufReader::with_capacity(7, bytes)).await
    }

    #[tokio::test]
    async fn the_digits_decide_whatever_the_text_is() {
        for (bytes, shown) in [
            (&b"250 2.0.0 ok\r\n"[..], "250 2.0.0 ok"),
            (b"250\r\n", "250"),
            (b"250 \n", "250"),
            (b"250-one\r\n250-two\r\n250 three\r\n", "250 one two three"),
            (b"250-one\r\n550 no\r\n", "550 one no"),
            (b"550 Empf\xe4nger\r\n", "550 Empf\u{fffd}nger"),
            (b"299\ttab\r\n", "299 tab"),
            (b"550 5.1.1 <ada@example.org> unknown\r\n", "550 5.1.1 <address> unknown"),
        ] {
            assert_eq!(read(bytes).await.unwrap().to_string(), shown);
        }
    }

    #[tokio::test]
    async fn a_long_reply_is_cut_and_read_to_its_end() {
        let long = [b"250-".to_vec(), b"x".repeat(5000), b"\r\n".to_vec()].concat().repeat(200);
        let bytes = [long, b"250 end\r\n".to_vec(), b"220 next\r\n".to_vec()].concat();
        let mut stream = tokio::io::BufReader::new(&bytes[..]);
        let reply = read_reply(&mut stream).await.unwrap();
        assert_eq!((reply.code, reply.lines.len(), reply.lines[0].len()), (250, MAX_LINES, MAX_LINE - 4));
        assert_eq!(read_reply(&mut stream).await.unwrap().to_string(), "220 next");
    }

    #[tokio::test]
    async fn bytes_without_a_code_are_no_reply() {
        for bytes in
            [&b"hello\r\n"[..], b"25\r\n", b"2x0 ok\r\n", b"2500\r\n", b"150 ok\r\n", b"650 ok\r\n", b"\r\n"]
        {
            assert_eq!(read(bytes).await.unwrap_err().kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
        assert_eq!(read(b"250 cut").await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(read(b"250-more\r\n").await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
