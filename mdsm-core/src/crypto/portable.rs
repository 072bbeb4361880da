//! The hashes of Merkle trees over `sha2`, one after another: what `multi` falls back on and is held
//! against. [STO-10]

use sha2::block_api::compress256;

use crate::types::Digest;

/// First byte of a leaf's message (RFC 6962, 2.1).
pub const LEAF: u8 = 0;
/// First byte of an inner node's message (RFC 6962, 2.1).
pub(super) const NODE: u8 = 1;

/// SHA-256's initial state (FIPS 180-4, 5.3.3).
#[rustfmt::skip]
pub(super) const INITIAL: [u32; 8] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
];

pub(super) fn leaf(leaf: &Digest) -> Digest {
    let mut block = [0; 64];
    block[0] = LEAF;
    block[1..33].copy_from_slice(leaf.as_bytes());
    block[33] = 0x80;
    block[62..].copy_from_slice(&(33 * 8u16).to_be_bytes());
    hash_of_padded(&[block])
}

pub(super) fn node(left: &Digest, right: &Digest) -> Digest {
    let mut blocks = [[0; 64]; 2];
    let message = blocks.as_flattened_mut();
    message[0] = NODE;
    message[1..33].copy_from_slice(left.as_bytes());
    message[33..65].copy_from_slice(right.as_bytes());
    message[65] = 0x80;
    message[126..].copy_from_slice(&(65 * 8u16).to_be_bytes());
    hash_of_padded(&blocks)
}

pub(super) fn leaves(leaves: &[Digest], hashes: &mut [Digest]) {
    for (hash, data) in hashes.iter_mut().zip(leaves) {
        *hash = leaf(data);
    }
}

pub(super) fn nodes(pairs: &[[Digest; 2]], parents: &mut [Digest]) {
    for (parent, [left, right]) in parents.iter_mut().zip(pairs) {
        *parent = node(left, right);
    }
}

pub(super) fn fold(layer: &mut [Digest]) {
    for parent in 0..layer.len() / 2 {
        layer[parent] = node(&layer[2 * parent], &layer[2 * parent + 1]);
    }
}

/// Without `sha2`'s buffer: the padding is known, and the buffer costs as much as a compression.
fn hash_of_padded(blocks: &[[u8; 64]]) -> Digest {
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    Digest::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{multi, sha256_parts};

    /// Digests whose bytes differ everywhere, from a seed.
    fn digests(seed: u64, count: usize) -> Vec<Digest> {
        let mut state = seed;
        let mut byte = || {
            // Knuth's MMIX generator; its high bits are the good ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        let mut digest = || Digest::new(std::array::from_fn(|_| byte()));
        (0..count).map(|_| digest()).collect()
    }

    /// Digests that are zero but for one bit, which wanders.
    fn single_bits(count: usize) -> Vec<Digest> {
        let digest = |at: usize| {
            let mut bytes = [0; 32];
            bytes[at % 32] = 0x80;
            Digest::new(bytes)
        };
        (0..count).map(digest).collect()
    }

    /// Every batch size around the lanes, of random and of edge bytes.
    fn batches() -> impl Iterator<Item = Vec<Digest>> {
        (0..=33).zip(0..).flat_map(|(count, seed)| {
            [
                digests(seed, count),
                single_bits(count),
                vec![Digest::new([0; 32]); count],
                vec![Digest::new([0xff; 32]); count],
            ]
        })
    }

    #[test]
    fn one_hash_is_the_hash_of_its_message() {
        for batch in batches() {
            for data in &batch {
                let plain = sha256_parts(&[&[0], data.as_bytes()]);
                assert_eq!([leaf(data), multi::leaf_hash(data)], [plain; 2]);
            }
            for [left, right] in batch.as_chunks().0 {
                let plain = sha256_parts(&[&[1], left.as_bytes(), right.as_bytes()]);
                assert_eq!([node(left, right), multi::node_hash(left, right)], [plain; 2]);
            }
        }
    }

    #[test]
    fn lanes_give_the_bytes_of_the_portable_path() {
        for batch in batches() {
            let (mut lanes, mut plain) = (batch.clone(), batch.clone());
            multi::leaf_hashes(&batch, &mut lanes);
            leaves(&batch, &mut plain);
            assert_eq!(lanes, plain);
            multi::node_hashes(&batch, &mut lanes);
            nodes(batch.as_chunks().0, &mut plain);
            assert_eq!(lanes, plain);
            multi::fold_pairs(&mut lanes);
            fold(&mut plain);
            // What a fold leaves behind the parents is nobody's business.
            assert_eq!(lanes[..batch.len() / 2], plain[..batch.len() / 2]);
        }
    }

    #[test]
    fn slices_of_different_lengths_are_hashed_as_far_as_both_go() {
        let (batch, untouched) = (digests(1, 9), Digest::new([7; 32]));
        for (given, room) in [(9, 4), (4, 9), (9, 0), (0, 9), (3, 2), (2, 3), (9, 3)] {
            let given = &batch[..given];
            let mut hashes = vec![untouched; room];
            multi::leaf_hashes(given, &mut hashes);
            let due = given.iter().map(leaf).chain(std::iter::repeat(untouched));
            assert_eq!(hashes, due.take(room).collect::<Vec<_>>());

            let mut parents = vec![untouched; room];
            multi::node_hashes(given, &mut parents);
            let pairs = given.as_chunks().0.iter();
            let due = pairs.map(|[left, right]| node(left, right));
            let due = due.chain(std::iter::repeat(untouched));
            assert_eq!(parents, due.take(room).collect::<Vec<_>>());
        }
    }
}
