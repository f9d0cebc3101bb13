//! PNG (ISO/IEC 15948): the chunks that draw the picture are kept; texts and other metadata are removed.

use super::check_sides;
use crate::types::ParseError;

/// The PNG signature.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that are kept.
const KEPT_CHUNKS: [&[u8; 4]; 8] = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"pHYs"];

const BAD: ParseError = ParseError::new("bad_picture", "not a whole PNG picture");

/// The picture without metadata.
pub(super) fn clean(bytes: &[u8]) -> Result<Vec<u8>, ParseError> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or(BAD)?;
    let mut cleaned = SIGNATURE.to_vec();
    let mut first = true;
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(BAD)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| BAD)?;
        // Name, data and checksum.
        let end = length.checked_add(8).ok_or(BAD)?;
        let (chunk, after) = after.split_at_checked(end).ok_or(BAD)?;
        let (name, data) = chunk.split_first_chunk::<4>().ok_or(BAD)?;
        let (data, checksum) = data.split_last_chunk::<4>().ok_or(BAD)?;
        if crc(&chunk[..length + 4]) != u32::from_be_bytes(*checksum) || first != (name == b"IHDR") {
            return Err(BAD);
        }
        if first {
            let (width, data) = data.split_first_chunk::<4>().ok_or(BAD)?;
            let (height, _) = data.split_first_chunk::<4>().ok_or(BAD)?;
            check_sides(u32::from_be_bytes(*width), u32::from_be_bytes(*height))?;
        }
        first = false;
        if KEPT_CHUNKS.contains(&name) {
            cleaned.extend_from_slice(&rest[..end + 4]);
        }
        if name == b"IEND" {
            // Bytes after the end are not part of the picture.
            return Ok(cleaned);
        }
        rest = after;
    }
}

/// The CRC of PNG, annex D.
fn crc(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 }
            })
        };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [name.as_slice(), data].concat();
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length, body.as_slice(), &crc(&body).to_be_bytes()].concat()
    }

    fn header(width: u32, height: u32) -> Vec<u8> {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        chunk(*b"IHDR", &[sides.as_slice(), &[8, 6, 0, 0, 0]].concat())
    }

    #[test]
    fn what_a_picture_says_beside_its_pixels_is_left_out() {
        let end = chunk(*b"IEND", b"");
        assert_eq!(end[8..], [0xae, 0x42, 0x60, 0x82], "the checksum that every PNG ends with");
        let plain = [SIGNATURE, &header(2, 2), &chunk(*b"IDAT", b"pixels"), &end].concat();
        let text = chunk(*b"tEXt", b"Author\0Ada");
        let talkative =
            [SIGNATURE, &header(2, 2), &text, &chunk(*b"IDAT", b"pixels"), &end, b"more"].concat();
        assert_eq!(clean(&talkative).unwrap(), plain);
        assert_eq!(clean(&plain).unwrap(), plain);
    }

    #[test]
    fn a_broken_or_huge_picture_is_refused() {
        let whole = [SIGNATURE, &header(2, 2), &chunk(*b"IEND", b"")].concat();
        for length in 0..whole.len() {
            assert_eq!(clean(&whole[..length]).unwrap_err().code, "bad_picture", "cut at {length}");
        }
        let mut flipped = whole.clone();
        flipped[20] ^= 1;
        assert_eq!(clean(&flipped).unwrap_err().code, "bad_picture");
        for (width, height) in [(0, 2), (2, 5000)] {
            let odd = [SIGNATURE, &header(width, height), &chunk(*b"IEND", b"")].concat();
            assert_eq!(clean(&odd).unwrap_err().code, "too_many_pixels");
        }
    }
}
