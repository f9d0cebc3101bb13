//! Output of `cargo dev`: steps, tables and child logs.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

/// A colour of the terminal's own palette, readable on dark and light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Success.
    Green,
    /// Failure.
    Red,
    /// Attention.
    Yellow,
    /// For the API's lines.
    Cyan,
    /// For the workers' lines.
    Magenta,
    /// Secondary text.
    Dim,
    /// For headings.
    Bold,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Green => "32",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::Magenta => "35",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

/// The text in that colour, plain without a terminal or with `NO_COLOR`.
#[must_use]
pub fn paint(colour: Colour, text: &str) -> String {
    if has_colours() { format!("\x1b[{}m{text}\x1b[0m", colour.code()) } else { text.to_owned() }
}

/// Whether output goes to a terminal with colours enabled (<https://no-color.org>).
#[must_use]
pub fn has_colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| {
        io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    })
}

/// Prints a line; a closed reader is not an error.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints the current step.
pub fn step(text: &str) {
    line(&format!("{} {text}", paint(Colour::Green, "•")));
}

/// Prints an error to standard error.
pub fn problem(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{} {text}", paint(Colour::Red, "✗"));
}

/// Prints a notice.
pub fn notice(text: &str) {
    line(&format!("{} {text}", paint(Colour::Yellow, "!")));
}

/// A line of a child's log behind its name.
pub fn log_line(source: &str, colour: Colour, text: &str) {
    line(&format!("{} {text}", paint(colour, &format!("{source:<9}│"))));
}

/// Two columns, the first padded to one width.
pub fn table(rows: &[(String, String)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        line(&format!("  {}  {value}", paint(Colour::Bold, &format!("{name:<width$}"))));
    }
}
