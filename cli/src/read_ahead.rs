//! Reading ahead: while one block is hashed, the next is read on a thread of its own.
//!
//! Memory is constant: the blocks go back and forth between reader and taker.

use std::{
    io::{self, ErrorKind, Read},
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread,
};

/// What is read at once. Each block costs a hand-over between two threads: a quarter of this cost
/// 4 % of the rate of SHA-256, a sixteenth 17 %.
const BLOCK_OCTETS: usize = 1024 * 1024;

/// Blocks on their way; more than these were not faster.
const BLOCKS: usize = 3;

/// A block and how much of it is filled.
struct Block {
    octets: Vec<u8>,
    length: usize,
}

/// Gives every block of `source` to `take`, in order.
///
/// # Errors
/// What reading gives; `take` has seen everything before it.
pub(crate) fn for_each_block(
    mut source: impl Read + Send,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let first = fill(&mut source, vec![0; BLOCK_OCTETS])?;
    take(&first.octets[..first.length]);
    if first.length < BLOCK_OCTETS {
        return Ok(());
    }
    let (send_empty, empty) = channel();
    let (filled, receive_filled) = sync_channel(BLOCKS);
    let rest = (1..BLOCKS).map(|_| vec![0; BLOCK_OCTETS]);
    for octets in core::iter::once(first.octets).chain(rest) {
        // The receiver is still here.
        let _ = send_empty.send(octets);
    }
    thread::scope(|scope| {
        scope.spawn(move || read(source, &empty, &filled));
        for block in receive_filled {
            let Block { octets, length } = block?;
            take(&octets[..length]);
            // A reader that came to the end takes none back.
            let _ = send_empty.send(octets);
        }
        Ok(())
    })
}

/// Fills blocks until the end, an error, or until nobody takes them any more.
fn read(mut source: impl Read, empty: &Receiver<Vec<u8>>, filled: &SyncSender<io::Result<Block>>) {
    while let Ok(octets) = empty.recv() {
        let block = fill(&mut source, octets);
        let is_last = block.as_ref().map_or(true, |block| block.length < BLOCK_OCTETS);
        if filled.send(block).is_err() || is_last {
            return;
        }
    }
}

/// Reads until the block is full or the source has ended.
fn fill(source: &mut impl Read, mut octets: Vec<u8>) -> io::Result<Block> {
    let mut length = 0;
    while length < octets.len() {
        match source.read(&mut octets[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Block { octets, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(source: impl Read + Send) -> (io::Result<()>, Vec<u8>) {
        let mut seen = Vec::new();
        let outcome = for_each_block(source, |block| seen.extend_from_slice(block));
        (outcome, seen)
    }

    #[test]
    fn gives_everything_in_order_whatever_the_length() {
        for length in [0, 1, BLOCK_OCTETS - 1, BLOCK_OCTETS, BLOCK_OCTETS + 1, 9 * BLOCK_OCTETS + 7]
        {
            let octets: Vec<u8> =
                (0..length).map(|index| u8::try_from(index % 249).expect("small")).collect();
            let (outcome, seen) = collected(octets.as_slice());
            outcome.expect("a slice can be read");
            assert!(seen == octets, "{length}");
        }
    }

    /// Gives one octet at a time for a while, then fails.
    struct Failing(usize);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("the disk is gone"));
            }
            let count = buffer.len().min(self.0).min(1000);
            self.0 -= count;
            Ok(count)
        }
    }

    #[test]
    fn an_error_ends_it_wherever_it_comes() {
        for before in [0, 10, BLOCK_OCTETS, 6 * BLOCK_OCTETS + 5] {
            let (outcome, seen) = collected(Failing(before));
            assert_eq!(outcome.expect_err("it fails").to_string(), "the disk is gone");
            assert!(seen.len() <= before);
        }
    }
}
