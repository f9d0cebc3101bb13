//! Colours of pages.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ParseError;

/// Contrast that text needs (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;

/// The dark theme's card, on which the colour has to be readable too.
const DARK_CARD: [u8; 3] = [0x1b, 0x1e, 0x24];

/// Colour of buttons and links: an sRGB colour with enough contrast to white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccentColour([u8; 3]);

impl AccentColour {
    /// Default for a business without a colour.
    pub const DEFAULT: Self = Self([0x1d, 0x6f, 0x5c]);

    /// Parses `#rrggbb`.
    ///
    /// # Errors
    /// `bad_colour` for another form, `low_contrast` below 4.5:1 against white (WCAG 2.2, 1.4.3).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let colour = rgb(text).ok_or(ParseError::new(
            "bad_colour",
            "not a colour: expected # and six hexadecimal digits, such as #1d6f5c",
        ))?;
        if contrast(colour, [0xff; 3]) < READABLE {
            return Err(ParseError::new(
                "low_contrast",
                "white text on this colour is hard to read (contrast below 4.5:1): choose a darker one",
            ));
        }
        Ok(Self(colour))
    }

    /// The colour for a dark page: lightened until text in it can be read there.
    #[must_use]
    pub fn on_dark(self) -> String {
        let lightened = |step: u16| {
            self.0.map(|channel| {
                let channel = u16::from(channel);
                u8::try_from(channel + (255 - channel) * step / 20).unwrap_or(u8::MAX)
            })
        };
        // More than the required contrast: text exactly at the limit is hard to read on a dark background.
        let found = (0..=20).map(lightened).find(|colour| contrast(*colour, DARK_CARD) >= READABLE + 2.0);
        hex(found.unwrap_or([0xff; 3]))
    }
}

impl fmt::Display for AccentColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.0))
    }
}

impl TryFrom<String> for AccentColour {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<AccentColour> for String {
    fn from(colour: AccentColour) -> Self {
        colour.to_string()
    }
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    let digits = text.trim().strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    // `from_str_radix` takes a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then_some([channel(0)?, channel(2)?, channel(4)?])
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Contrast ratio of WCAG 2.2: 1 to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of WCAG 2.2.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_cannot_be_read_is_refused() {
        assert_eq!(AccentColour::parse("#1D6F5C").map(|colour| colour.to_string()), Ok("#1d6f5c".to_owned()));
        assert_eq!(AccentColour::parse(&AccentColour::DEFAULT.to_string()), Ok(AccentColour::DEFAULT));
        for light in ["#ffd400", "#ffffff", "#777777"] {
            assert_eq!(AccentColour::parse(light).unwrap_err().code, "low_contrast", "{light}");
        }
        assert!(AccentColour::parse("#767676").is_ok());
        for bad in ["", "red", "#12345", "#1234567", "#+12345", "#12345g", "1d6f5c", "#1d6f5\u{e4}"] {
            assert_eq!(AccentColour::parse(bad).unwrap_err().code, "bad_colour", "{bad}");
        }
    }

    #[test]
    fn on_a_dark_page_every_colour_is_light_enough_to_be_read() {
        for colour in ["#000000", "#1d6f5c", "#0000ff", "#7a0019", "#767676"] {
            let lightened = AccentColour::parse(colour).unwrap().on_dark();
            let seen = contrast(rgb(&lightened).unwrap(), DARK_CARD);
            assert!(seen >= READABLE, "{colour} becomes {lightened} with {seen}");
        }
    }
}
