//! What a scheme says of itself, whoever runs it.

use serde::Deserialize;

use crate::turns::{Party, Work};

/// One scheme with fixed parameters.
pub struct Scheme {
    /// As the table shows it.
    pub name: String,
    /// The set of ours that it is compared with.
    pub beside: &'static str,
    /// Bytes of a fresh capsule or ciphertext.
    pub capsule_bytes: usize,
    /// Bytes of the same after re-encryption; none where there is no re-encryption.
    pub reencrypted_bytes: Option<usize>,
    /// Bytes of the key that the proxy holds.
    pub rekey_bytes: Option<usize>,
    /// Keys of 256 bits that one capsule can carry, if they are granted together.
    pub keys: u32,
    /// What it promises.
    pub security: Security,
    /// What a re-encryption multiplies; for ours, to be held against the limit.
    pub heavy: Option<Heavy>,
    /// Whether what one seals afresh, re-encrypts and opens is what one put in.
    pub opens: Box<dyn Fn() -> bool>,
    /// What it can do; the work of a batch counts for one capsule of it.
    pub works: Vec<(Operation, Work<'static>)>,
}

/// Strength and notion, as the scheme's authors or our notes have it.
#[derive(Clone, Deserialize)]
pub struct Security {
    /// Bits against a classical attacker.
    pub classical_bits: u16,
    /// CPA, HRA or CCA, with a word of doubt where there is one.
    pub notion: String,
    /// Whether a quantum computer leaves it standing.
    pub post_quantum: bool,
}

/// What a re-encryption of one capsule costs on paper.
#[derive(Clone, Copy)]
pub struct Heavy {
    /// Multiply-adds of 16 by 16 bits.
    pub multiply_adds: u64,
    /// Bytes of the expanded key that it reads.
    pub key_bytes: usize,
}

/// The columns of every comparison.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A key pair.
    KeyGen,
    /// A fresh capsule with a key of 256 bits.
    Encapsulate,
    /// The key that the proxy gets, by everybody who has a part in it.
    ReKey,
    /// One capsule, the key expanded and in the caches.
    Reencrypt,
    /// One capsule, from the key as it is stored.
    ReencryptCold,
    /// One of a batch of `BATCH`.
    ReencryptBatch,
    /// One of a batch of `BATCH`, found to be approved beforehand.
    ReencryptAdmitted,
    /// The reader opens a re-encrypted capsule; for a KEM, its owner opens a fresh one.
    Decapsulate,
    /// The same without any check of what came out.
    DecapsulateBare,
}

/// Capsules of one batch.
pub const BATCH: u32 = 192;

impl Scheme {
    /// Whether a batch costs it less than its capsules one by one.
    #[must_use]
    pub fn batches(&self) -> bool {
        self.works.iter().any(|(of, _)| *of == Operation::ReencryptBatch)
    }

    /// Nanoseconds of the fastest turn.
    #[must_use]
    pub fn fastest_ns(&self, operation: Operation) -> Option<f64> {
        let mut works = self.works.iter();
        let (_, work) = works.find(|(of, _)| *of == operation)?;
        let batched = [Operation::ReencryptBatch, Operation::ReencryptAdmitted];
        let per_capsule = if batched.contains(&operation) { f64::from(BATCH) } else { 1.0 };
        Some(work.fastest_ns() / per_capsule)
    }
}

impl Party for Scheme {
    fn take_turn(&mut self) {
        for (_, work) in &mut self.works {
            work.take_turn();
        }
    }
}
