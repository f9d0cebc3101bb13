//! Pictures that pages show: the business's logo and photos of staff. The stored picture is rewritten from the parts that
//! draw: no scripts, no outside references, no location of a photo.

mod jpeg;
mod png;
mod stored;
mod svg;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::types::ParseError;

pub use stored::{logo, logo_tag, photo, put_logo, put_photo, remove_logo, remove_photo};

/// The largest picture, in bytes.
pub const MAX_BYTES: usize = 200 * 1024;

/// The widest and highest picture, in pixels.
const MAX_SIDE: u32 = 4096;

/// Picture formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// SVG.
    Svg,
}

impl MediaType {
    /// The media type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Svg => "image/svg+xml",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Png, Self::Jpeg, Self::Svg].into_iter().find(|known| known.as_str() == text)
    }
}

/// A picture that was checked and cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The format.
    pub media_type: MediaType,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Digest of the bytes, of 24 hexadecimal digits.
    pub tag: String,
}

impl Picture {
    /// A logo: PNG or SVG of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// `too_large`, `bad_picture`, `too_many_pixels`, `bad_svg`.
    pub fn logo(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.starts_with(png::SIGNATURE) {
            Self::new(MediaType::Png, bytes, png::clean)
        } else {
            Self::new(MediaType::Svg, bytes, svg::clean)
        }
    }

    /// A photo: PNG or JPEG of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// As [`Self::logo`].
    pub fn photo(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.starts_with(png::SIGNATURE) {
            Self::new(MediaType::Png, bytes, png::clean)
        } else {
            Self::new(MediaType::Jpeg, bytes, jpeg::clean)
        }
    }

    fn new(
        media_type: MediaType,
        bytes: &[u8],
        clean: impl Fn(&[u8]) -> Result<Vec<u8>, ParseError>,
    ) -> Result<Self, ParseError> {
        const TOO_LARGE: ParseError = ParseError::new("too_large", "a picture has at most 200 KiB");
        if bytes.len() > MAX_BYTES {
            return Err(TOO_LARGE);
        }
        let content = clean(bytes)?;
        if content.len() > MAX_BYTES {
            return Err(TOO_LARGE);
        }
        let digest = Sha256::digest(&content);
        let tag = URL_SAFE_NO_PAD.encode(&digest[..12]);
        Ok(Self { media_type, content, tag })
    }
}

/// Refuses a side of 0 or more than [`MAX_SIDE`] pixels.
fn check_sides(width: u32, height: u32) -> Result<(), ParseError> {
    if (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) {
        Ok(())
    } else {
        Err(ParseError::new("too_many_pixels", "a picture is 1 to 4096 pixels wide and high"))
    }
}
