//! All vectors, made anew from `rules`, `generate` and `build`. Equal calls give equal files.

mod access;
mod access_story;
mod bookings;
mod certificates;
mod codec;
mod deliveries;
mod epochs;
mod evidence;
mod faults;
mod files;
mod gaps;
mod paper;
mod receipts;
mod roster;
mod roster_story;
mod sequences;
mod sharing;
mod signatures;
mod trees;
mod windows;

pub use epochs::histories;
pub use sequences::made as made_sequences;

use std::collections::BTreeMap;

use rand_chacha::ChaCha12Rng;
use serde_json::{Value, json};

use super::super::class::Class;
use super::super::value::{bytes, decimal, list_of_bytes};
use super::shape::{Expect, Flag, Vector, VectorFile};
use crate::rules::ed25519;
use crate::rules::mirror::Bytes32;
use crate::seed::Seed;

/// What makes each file, in the order in which they are embedded.
pub const MAKERS: &[fn() -> VectorFile] = &[
    codec::made,
    trees::made,
    signatures::made,
    bookings::made,
    certificates::made,
    evidence::made,
    receipts::made,
    windows::made,
    roster::made,
    access::made,
    files::made,
    sharing::made,
    deliveries::made,
    paper::made,
    gaps::made,
];

/// Every file.
#[must_use]
pub fn made() -> Vec<VectorFile> {
    MAKERS.iter().map(|make| make()).collect()
}

/// The stream of a file; new labels never shift old ones.
fn stream(label: &str) -> ChaCha12Rng {
    Seed::new(2_026).stream(&format!("conformance/vectors/{label}"))
}

/// A file that is being written.
struct Maker {
    file: VectorFile,
    /// Flags of the vectors to come.
    now: Vec<&'static str>,
}

impl Maker {
    fn new(name: &str, about: &str) -> Self {
        let (flags, vectors) = (BTreeMap::new(), Vec::new());
        let file = VectorFile { name: name.to_owned(), about: about.to_owned(), flags, vectors };
        Self { file, now: Vec::new() }
    }

    /// Explains a kind of bug.
    fn flag(&mut self, name: &str, bug: &str, effect: &str, see: Option<&str>) {
        let (bug, effect, see) = (bug.to_owned(), effect.to_owned(), see.map(str::to_owned));
        self.file.flags.insert(name.to_owned(), Flag { bug, effect, see });
    }

    /// What the vectors to come find.
    fn finding(&mut self, flags: &[&'static str]) {
        self.now = flags.to_vec();
    }

    fn push(&mut self, id: impl Into<String>, op: &str, args: Value, expect: Expect, of: &[&str]) {
        self.file.vectors.push(Vector {
            id: id.into(),
            op: op.to_owned(),
            args,
            expect,
            requirements: of.iter().map(|id| (*id).to_owned()).collect(),
            flags: self.now.iter().map(|flag| (*flag).to_owned()).collect(),
        });
    }

    fn valid(&mut self, id: impl Into<String>, op: &str, args: Value, ok: Value, of: &[&str]) {
        self.push(id, op, args, Expect::Valid(ok), of);
    }

    fn invalid(
        &mut self,
        id: impl Into<String>,
        op: &str,
        args: Value,
        classes: &[Class],
        of: &[&str],
    ) {
        self.push(id, op, args, Expect::Invalid(classes.to_vec()), of);
    }

    fn ambiguous<const N: usize>(
        &mut self,
        id: &str,
        (op, args): (&str, Value),
        point: &str,
        readings: [(&str, Expect); N],
        of: &[&str],
    ) {
        let readings = readings.into_iter().map(|(name, expect)| (name.to_owned(), expect));
        let (point, readings) = (point.to_owned(), readings.collect());
        self.push(id, op, args, Expect::Ambiguous { point, readings }, of);
    }

    /// The file, with the flags that its vectors carry.
    fn done(mut self) -> VectorFile {
        let carried =
            |name: &String| self.file.vectors.iter().any(|vector| vector.flags.contains(name));
        let flags = std::mem::take(&mut self.file.flags);
        let (used, unused): (BTreeMap<_, _>, BTreeMap<_, _>) =
            flags.into_iter().partition(|(name, _)| carried(name));
        assert!(unused.is_empty(), "{}: nothing finds {unused:?}", self.file.name);
        self.file.flags = used;
        self.file
    }
}

/// 32 bytes that follow from a label.
fn named(label: &str) -> Bytes32 {
    crate::rules::merkle::sha256(&[b"vector ", label.as_bytes()])
}

/// An institution with a key of its own.
#[derive(Clone, Copy, Debug)]
struct Member {
    id: u32,
    seed: Bytes32,
}

impl Member {
    fn new(id: u32) -> Self {
        Self { id, seed: named(&format!("institution {id}")) }
    }

    fn key(&self) -> Bytes32 {
        ed25519::public(&self.seed)
    }

    fn json(&self) -> Value {
        json!({"institution": self.id, "key": bytes(self.key())})
    }
}
