//! The part of Protobuf's wire format that OTLP needs: <https://protobuf.dev/programming-guides/encoding/>.

/// A message being written.
#[derive(Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// int64, uint64, bool or an enum.
    pub fn varint(&mut self, field: u32, value: u64) -> &mut Self {
        self.tag(field, 0).number(value)
    }

    /// A fixed64 or a double.
    pub fn fixed64(&mut self, field: u32, bits: u64) -> &mut Self {
        self.tag(field, 1).0.extend_from_slice(&bits.to_le_bytes());
        self
    }

    /// Bytes or a string; an empty value is the default and is left out.
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) -> &mut Self {
        if !bytes.is_empty() {
            self.tag(field, 2).number(bytes.len() as u64).0.extend_from_slice(bytes);
        }
        self
    }

    /// An embedded message.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        write(&mut inner);
        self.tag(field, 2).number(inner.0.len() as u64).0.extend_from_slice(&inner.0);
        self
    }

    fn tag(&mut self, field: u32, wire: u64) -> &mut Self {
        self.number(u64::from(field) << 3 | wire)
    }

    fn number(&mut self, mut value: u64) -> &mut Self {
        loop {
            let low = value.to_le_bytes()[0] & 0x7f;
            value >>= 7;
            if value == 0 {
                self.0.push(low);
                return self;
            }
            self.0.push(low | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_match_the_examples_of_the_specification() {
        let mut message = Message::default();
        message.varint(1, 150).bytes(2, b"testing").message(3, |inner| {
            inner.varint(1, 150);
        });
        let expected = [
            0x08, 0x96, 0x01, 0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g', 0x1a, 0x03, 0x08, 0x96,
            0x01,
        ];
        assert_eq!(message.into_bytes(), expected);
    }

    #[test]
    fn the_largest_number_takes_ten_bytes() {
        let mut message = Message::default();
        message.varint(1, u64::MAX);
        assert_eq!(message.into_bytes(), [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    }
}
