//! Bitcoin headers of the test network whose difficulty never changes. [ANC-2]
//!
//! 80 bytes: version, hash of the header before, Merkle root, time, bits, nonce.

use super::merkle::sha256;
use super::mirror::Bytes32;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 80;

/// A header as it is serialised.
pub type Header = [u8; HEADER_BYTES];

/// Bits of every header: a target of 0x7fffff, then 29 zero bytes.
const BITS: [u8; 4] = 0x207f_ffff_u32.to_le_bytes();

/// Merkle root of the first block, in the order in which Bitcoin hashes.
const GENESIS_ROOT: &str = "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a";

/// The first header of the network.
///
/// # Panics
/// Never: the constants of this file have their lengths.
#[must_use]
pub fn genesis() -> Header {
    let mut root = [0; 32];
    for (byte, digits) in root.iter_mut().zip(GENESIS_ROOT.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).expect("hex digits");
        *byte = u8::from_str_radix(digits, 16).expect("hex digits");
    }
    assemble(1, &[0; 32], &root, 1_296_688_602, 2)
}

/// The hash by which the next header names this one.
#[must_use]
pub fn hash(header: &[u8]) -> Bytes32 {
    sha256(&[&sha256(&[header])])
}

/// Whether the hash, read as a little-endian number, is at most the target.
#[must_use]
pub fn has_work(header: &Header) -> bool {
    let mut number = hash(header);
    number.reverse();
    let mut target = [0; 32];
    target[..3].copy_from_slice(&[0x7f, 0xff, 0xff]);
    number <= target
}

/// A header after `parent` with enough work.
///
/// # Panics
/// When no nonce will do, which happens once in 2^(2^32) times.
#[must_use]
pub fn mine(parent: &Header, root: &Bytes32) -> Header {
    let time = u32::from_le_bytes(parent[68..72].try_into().expect("four bytes"));
    (0..u32::MAX)
        .map(|nonce| assemble(1, &hash(parent), root, time.wrapping_add(600), nonce))
        .find(has_work)
        .expect("every second nonce will do")
}

/// Whether bytes are a chain that a verifier of the test network takes.
#[must_use]
pub fn is_chain(bytes: &[u8]) -> bool {
    let (headers, rest) = bytes.as_chunks::<HEADER_BYTES>();
    let links = |pair: &[Header]| {
        pair[1][4..36] == hash(&pair[0]) && pair[1][72..76] == BITS && has_work(&pair[1])
    };
    rest.is_empty() && headers.first() == Some(&genesis()) && headers.windows(2).all(links)
}

fn assemble(version: u32, parent: &Bytes32, root: &Bytes32, time: u32, nonce: u32) -> Header {
    let parts: [&[u8]; 6] =
        [&version.to_le_bytes(), parent, root, &time.to_le_bytes(), &BITS, &nonce.to_le_bytes()];
    parts.concat().try_into().expect("4 + 32 + 32 + 4 + 4 + 4 bytes are 80")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_genesis_block_has_its_published_hash() {
        let mut shown = hash(&genesis());
        shown.reverse();
        let hex: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
        assert!(has_work(&genesis()));
    }

    #[test]
    fn a_chain_is_linked_and_has_work() {
        let second = mine(&genesis(), &[7; 32]);
        let chain = [genesis(), second, mine(&second, &[8; 32])].concat();
        assert!(is_chain(&chain));
        assert!(!is_chain(&chain[..chain.len() - 1]));
        assert!(!is_chain(&chain[80..]));
        assert!(!is_chain(&[]));
        let mut other = chain.clone();
        other[80 + 40] ^= 1;
        assert!(!is_chain(&other), "the third header no longer names the second");
    }
}
