//! JPEG (ITU-T T.81): application segments (Exif with locations) and comments are removed.

use super::check_sides;
use crate::types::ParseError;

const BAD: ParseError = ParseError::new("bad_picture", "not a whole PNG or JPEG picture");

/// Marker of the image data's start.
const START_OF_SCAN: u8 = 0xda;
/// Colours written in another order, which decoders have to know.
const ADOBE: u8 = 0xee;

/// The picture without metadata.
pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, ParseError> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8").ok_or(BAD)?;
    let mut cleaned = b"\xff\xd8".to_vec();
    let mut sized = false;
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk::<2>().ok_or(BAD)? else { return Err(BAD) };
        let length = usize::from(u16::from_be_bytes(*after.first_chunk::<2>().ok_or(BAD)?));
        let (segment, following) = after.split_at_checked(length).filter(|_| length >= 2).ok_or(BAD)?;
        // Start of frame, except the tables in the same range of markers.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let side = |at: usize| {
                let bytes = segment.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).ok_or(BAD)?;
                Ok(u32::from(u16::from_be_bytes(bytes)))
            };
            check_sides(side(5)?, side(3)?)?;
            sized = true;
        }
        let is_application = matches!(marker, 0xe1..=0xef) && marker != ADOBE;
        if !is_application && marker != 0xfe {
            cleaned.extend_from_slice(&[0xff, marker]);
            cleaned.extend_from_slice(segment);
        }
        if marker == START_OF_SCAN {
            let end = following.windows(2).rposition(|pair| pair == b"\xff\xd9").ok_or(BAD)?;
            cleaned.extend_from_slice(&following[..end + 2]);
            return if sized { Ok(cleaned) } else { Err(BAD) };
        }
        rest = following;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_photo_was_taken_is_left_out() {
        let exif = b"\xff\xe1\x00\x0aExif\0GPS";
        let frame = b"\xff\xc0\x00\x0b\x08\x00\x02\x00\x02\x01\x01\x11\x00";
        let scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00pixels\xff\xd9";
        let photo = [b"\xff\xd8".as_slice(), exif, frame, scan].concat();
        let plain = [b"\xff\xd8".as_slice(), frame, scan].concat();
        assert_eq!(clean(&photo).unwrap(), plain);
        for length in 0..photo.len() {
            assert!(clean(&photo[..length]).is_err(), "cut at {length}");
        }
    }
}
