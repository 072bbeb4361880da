//! Histories of institutions: what block after block says about them, from words that a seed or a
//! property test draws. [COM-1] to [COM-7]
//!
//! Each block comes of ten words, read against the state before it, so that most blocks are valid
//! and a shrunk word is a plainer block: of words that are 0 comes a block that follows its parent
//! and says nothing. Some repeat an offence or a service, name nobody, or let a bad key join; what
//! rules refuse, an oracle must refuse too.

use std::sync::OnceLock;

use mdsm_core::crypto::sign::SigningKey;
use rand_chacha::rand_core::Rng;

use crate::rules::mirror::Bytes32;
use crate::rules::roster::{Block, Joining, Offence, Service, State};
use crate::seed::Draw;

/// Words of one block.
pub type Words = [u32; 10];

/// Who keeps failing: bit `id % 32` of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Producers that let every turn pass.
    pub silent: u32,
    /// Auditors that sign nothing.
    pub absent: u32,
}

/// A block, and whether its epoch ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the block says.
    pub block: Block,
    /// Whether the freeze follows.
    pub is_last: bool,
}

/// Different keys at hand; the key of a founder or newcomer is one of them.
const KEYS: usize = 160;

fn key(number: usize) -> Bytes32 {
    static ALL: OnceLock<Vec<Bytes32>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let seed = |number: usize| {
            let mut seed = [0x5e; 32];
            seed[..8].copy_from_slice(&u64::try_from(number).unwrap_or(0).to_le_bytes());
            seed
        };
        (0..KEYS).map(|n| *SigningKey::from_seed(&seed(n)).owner().as_bytes()).collect()
    });
    all[number % KEYS]
}

/// Two keys that nobody may register: of small order, and no point of the curve.
fn bad_key(number: u32) -> Bytes32 {
    let mut key = [0; 32];
    key[0] = if number.is_multiple_of(2) { 1 } else { 2 };
    key
}

/// Founders whose ids, ratings and sizes are drawn, with many ties.
///
/// # Panics
/// When they are more than there are keys.
#[must_use]
pub fn founders(count: usize, draw: &mut impl Rng) -> Vec<Joining> {
    assert!(count <= KEYS, "{count} founders where {KEYS} keys are at hand");
    let mut id = 0;
    let mut founders: Vec<Joining> = (0..count)
        .map(|number| {
            id += draw.between(1, 3);
            let rating = u8::try_from(10 * draw.between(0, 10)).unwrap_or(100);
            let centre = draw.below(3);
            Joining { id, key: key(number), key_is_sound: true, rating, centre }
        })
        .collect();
    // The order of a list of founders means nothing.
    for at in (1..founders.len()).rev() {
        founders.swap(at, index(draw.below(short(at + 1))));
    }
    founders
}

/// Words of a block, from a seed's stream.
pub fn words(draw: &mut impl Rng) -> Words {
    std::array::from_fn(|_| draw.next_u32())
}

/// The block that words make of a state; `parent_view` is that of the block before, 0 behind a
/// freeze.
#[must_use]
pub fn step(words: &Words, parent_view: u64, habits: Habits, state: &State) -> Step {
    let has = |mask: u32, id: u32| mask >> (id % 32) & 1 == 1;
    let gap = match words[0] % 8 {
        0..=4 => 0,
        5 => 1,
        6 => words[0] / 8 % 5,
        _ => words[0] / 8 % 40,
    };
    let mut view = parent_view + 1 + u64::from(gap);
    for _ in 0..state.seats.producers.len() {
        if !has(habits.silent, state.leader(view)) {
            break;
        }
        view += 1;
    }
    let signs = |id: &u32| !has(habits.absent | words[3] & words[4], *id);
    let signers = state.seats.auditors.iter().copied().filter(signs).collect();
    let certificate = (parent_view > 0 && words[2] % 8 < 7).then_some(signers);
    let producer = match words[2] / 8 % 64 {
        63 => state.leader(view + 1),
        _ => state.leader(view),
    };
    let block = Block {
        view,
        parent_view,
        producer,
        certificate,
        offences: offences(words, state),
        services: services(words, state),
        joining: joining(words[9]),
    };
    Step { block, is_last: words[1] % 12 == 11 }
}

fn offences(words: &Words, state: &State) -> Vec<Offence> {
    let count = match words[5] % 32 {
        30 => 1,
        31 => 2,
        _ => 0,
    };
    let offence = |at: u32| Offence {
        institution: someone(words[5] / 32 + at, state),
        epoch: back(words[6] % 8, state),
        view: (words[6] / 8 % 6).into(),
        kind: u8::try_from(1 + words[6] / 64 % 7).unwrap_or(1),
    };
    (0..count).map(offence).collect()
}

fn services(words: &Words, state: &State) -> Vec<Service> {
    let count = words[7] % 16;
    let count = if count < 12 { 0 } else { count - 11 };
    let service = |at: u32| {
        let mut grant = [0x97; 32];
        grant[..2].copy_from_slice(&(words[8] / 8 % 512 + at).to_le_bytes()[..2]);
        let institution = someone(words[7] / 16 % 8, state);
        Service { epoch: back(words[8] % 8, state), grant, institution }
    };
    (0..count).map(service).collect()
}

fn joining(word: u32) -> Vec<Joining> {
    let count = match word % 16 {
        14 => 1,
        15 => 2,
        _ => 0,
    };
    let newcomer = |at: u32| {
        let word = word / 16 + at;
        let is_bad = word.is_multiple_of(19);
        let number = index(word / 3 % 97) + 60;
        Joining {
            id: word % 300,
            key: if is_bad { bad_key(word) } else { key(number) },
            key_is_sound: !is_bad,
            rating: u8::try_from(word % 104).unwrap_or(0),
            centre: word % 5,
        }
    };
    (0..count).map(newcomer).collect()
}

/// One of the institutions, rarely none.
fn someone(word: u32, state: &State) -> u32 {
    if word % 64 == 63 {
        return 1_000_000;
    }
    let at = index(word) % state.joined.len();
    state.joined.keys().copied().nth(at).unwrap_or(0)
}

/// The open epoch, often the one before, rarely one that is out of reach.
fn back(word: u32, state: &State) -> u32 {
    let open = state.seats.epoch;
    match word {
        0..=4 => open,
        5 | 6 => open.saturating_sub(1),
        _ if open.is_multiple_of(2) => open.saturating_sub(2),
        _ => open + 1,
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::roster::TABLE;
    use crate::seed::Seed;

    #[test]
    fn histories_hold_valid_and_refused_blocks_and_many_changes() {
        let mut draw = Seed::new(4).stream("generate/history");
        let founders = founders(30, &mut draw);
        let mut state = State::found(TABLE, &founders, 7, 7);
        let (mut parent, mut valid, mut refused, mut expelled) = (0, 0, 0, 0);
        for _ in 0..2_000 {
            let step = step(&words(&mut draw), parent, Habits::default(), &state);
            if state.refuses(&step.block) {
                refused += 1;
                continue;
            }
            valid += 1;
            parent = step.block.view;
            state.block(&step.block);
            if step.is_last {
                expelled += state.freeze(parent).expelled.len();
                parent = 0;
            }
        }
        assert!(valid > 1_000 && refused > 100, "{valid} valid, {refused} refused");
        assert!(expelled > 10, "{expelled} expelled");
        assert!(state.joined.len() > 40, "{} joined", state.joined.len());
    }
}
