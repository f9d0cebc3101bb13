//! Plain-text tables.

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant in UTC with seconds (RFC 3339).
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Prints one line per row, in aligned columns under their headers.
pub fn print<const N: usize>(headers: [&str; N], rows: &[[String; N]]) {
    for line in lines(headers, rows) {
        println!("{line}");
    }
}

fn lines<const N: usize>(headers: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let mut widths = headers.map(width);
    for row in rows {
        for (known, cell) in widths.iter_mut().zip(row) {
            *known = width(&sanitized(cell)).max(*known);
        }
    }
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(widths).map(|(cell, wide)| format!("{:<wide$}", sanitized(cell)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(headers)).chain(rows).collect()
}

/// Replaces control characters, so that a cell stays on one line and cannot send commands to the terminal.
fn sanitized(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_are_replaced() {
        let rows =
            [["1".to_owned(), "grün".to_owned()], ["12345".to_owned(), "two\n\x1b[31mlines".to_owned()]];
        assert_eq!(lines(["ID", "NOTE"], &rows), ["ID     NOTE", "1      grün", "12345  two  [31mlines"]);
    }
}
