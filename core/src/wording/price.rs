//! Prices as people read them.

use crate::types::{Locale, Money};

/// The amount with its currency, `€45.00` or `45,00 €`.
#[must_use]
pub fn price(money: Money, locale: Locale) -> String {
    let code = money.currency.as_str();
    let digits = minor_digits(code);
    let scale = 10_i64.pow(digits);
    let (whole, rest) = (money.minor / scale, (money.minor % scale).abs());
    let (group, point) = match locale {
        Locale::En => (',', '.'),
        Locale::De => ('.', ','),
    };
    let whole = grouped(whole, group);
    let amount =
        if digits > 0 { format!("{whole}{point}{rest:0width$}", width = digits as usize) } else { whole };
    match (locale, symbol(code)) {
        (Locale::En, Some(symbol)) => format!("{symbol}{amount}"),
        (Locale::De, Some(symbol)) => format!("{amount} {symbol}"),
        (_, None) => format!("{amount} {code}"),
    }
}

/// The amount as programs read it: `45.00`, without the currency.
#[must_use]
pub fn decimal(money: Money) -> String {
    let digits = minor_digits(money.currency.as_str());
    let scale = 10_i64.pow(digits);
    let (whole, rest) = (money.minor / scale, (money.minor % scale).abs());
    if digits > 0 { format!("{whole}.{rest:0width$}", width = digits as usize) } else { whole.to_string() }
}

fn symbol(code: &str) -> Option<&'static str> {
    match code {
        "EUR" => Some("€"),
        "USD" => Some("$"),
        "GBP" => Some("£"),
        _ => None,
    }
}

/// How many digits the minor unit has (ISO 4217).
fn minor_digits(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn grouped(whole: i64, separator: char) -> String {
    let digits = whole.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Currency;

    #[test]
    fn amounts_follow_the_language_and_the_currency() {
        let write =
            |minor, code, locale| price(Money { minor, currency: Currency::parse(code).unwrap() }, locale);
        assert_eq!(write(4_500, "EUR", Locale::En), "€45.00");
        assert_eq!(write(4_500, "EUR", Locale::De), "45,00 €");
        assert_eq!(write(123_456_705, "EUR", Locale::De), "1.234.567,05 €");
        assert_eq!(write(100_005, "CHF", Locale::En), "1,000.05 CHF");
        assert_eq!(write(4_500, "JPY", Locale::En), "4,500 JPY");
        assert_eq!(write(4_500, "KWD", Locale::De), "4,500 KWD");
        assert_eq!(write(5, "USD", Locale::En), "$0.05");
        let decimal = |minor, code| decimal(Money { minor, currency: Currency::parse(code).unwrap() });
        assert_eq!([decimal(123_456_705, "EUR"), decimal(4_500, "JPY")], ["1234567.05", "4500"]);
    }
}
