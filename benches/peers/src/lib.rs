//! The same work done by ours and by others, each behind the same function, so that one run times
//! all of them under the same load.

pub mod limit;
pub mod proofs;
pub mod reencryption;
pub mod roots;
pub mod turns;

/// Distinct leaves of 32 bytes.
#[must_use]
pub fn leaves(count: u32) -> Vec<[u8; 32]> {
    let leaf = |at: u32| {
        let mut bytes = [0xa5; 32];
        bytes[..4].copy_from_slice(&at.to_le_bytes());
        bytes
    };
    (0..count).map(leaf).collect()
}
