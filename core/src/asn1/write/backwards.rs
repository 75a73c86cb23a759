//! DER written from its end to its beginning, in one buffer.
//!
//! A length comes before what it measures. Written backwards it is known when it is needed, so a
//! deep structure is neither measured first nor copied once for each level. For what is made
//! thousands of times a second; everything else reads better with the other functions of this module.

use alloc::vec::Vec;

use super::{SEQUENCE, header};

/// What has been written so far: the tail of the encoding to be.
#[derive(Debug)]
pub struct Backwards {
    octets: Vec<u8>,
    /// Where the tail begins in `octets`.
    start: usize,
}

/// A place in the encoding, before which a header can be put.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    length: usize,
}

impl Backwards {
    /// An empty tail with room for so many octets; more are made when they are needed.
    pub fn with_capacity(octets: usize) -> Self {
        Self { octets: vec![0; octets], start: octets }
    }

    /// Puts octets before what is there.
    pub fn put(&mut self, octets: &[u8]) {
        if self.start < octets.len() {
            self.grow(octets.len());
        }
        let start = self.start - octets.len();
        self.octets[start..self.start].copy_from_slice(octets);
        self.start = start;
    }

    /// The place before which nothing was put yet.
    pub fn mark(&self) -> Mark {
        Mark { length: self.octets.len() - self.start }
    }

    /// Puts the header of a value that consists of everything put since `mark`.
    pub fn wrap(&mut self, tag: u8, mark: Mark) {
        let mut octets = [0; MAX_HEADER_OCTETS];
        let length = header(&mut octets, tag, self.mark().length - mark.length);
        self.put(&octets[..length]);
    }

    /// As [`wrap`](Self::wrap), for a SEQUENCE.
    pub fn sequence(&mut self, mark: Mark) {
        self.wrap(SEQUENCE, mark);
    }

    /// The whole encoding.
    pub fn finish(mut self) -> Vec<u8> {
        self.octets.drain(..self.start);
        self.octets
    }

    fn grow(&mut self, needed: usize) {
        let more = needed.max(self.octets.len());
        let mut larger = vec![0; more + self.octets.len()];
        larger[more..].copy_from_slice(&self.octets);
        self.octets = larger;
        self.start += more;
    }
}

/// A tag, and a length in its longest form.
pub(super) const MAX_HEADER_OCTETS: usize = 2 + size_of::<usize>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::write as der;

    #[test]
    fn writes_what_the_other_way_writes_at_every_length_of_a_length() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![0xA5; length];
            // Too little room, just enough, and plenty.
            for capacity in [0, length, length + 64] {
                let mut writer = Backwards::with_capacity(capacity);
                let whole = writer.mark();
                writer.put(&der::integer(7));
                let inner = writer.mark();
                writer.put(&content);
                writer.wrap(0x04, inner);
                writer.sequence(whole);
                let expected = der::sequence(&[&der::octet_string(&content), &der::integer(7)]);
                assert_eq!(writer.finish(), expected, "{length} octets, room for {capacity}");
            }
        }
    }
}
