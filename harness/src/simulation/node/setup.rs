//! What all of a network of whole nodes have in common.

use std::cell::RefCell;
use std::rc::Rc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::Genesis;
use mdsm_core::node::{Node, NodeConfig, Start};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::types::{ChainId, InstitutionId, Text, Timestamp};

use super::archive::Archive;
use super::bitcoin::Bitcoin;
use super::board::Board;
use super::keys::Keys;
use crate::seed::Seed;
use crate::simulation::cluster::{STARTED_MS, Shape};

/// Turns of a minute.
const MINUTE_TURNS: u32 = 10;

/// What users do, on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Load {
    /// Milliseconds between two looks at what is to be done.
    pub tick_ms: u32,
    /// Records in a hundred ticks.
    pub records: u32,
    /// Milliseconds between two sharings.
    pub sharing_ms: u32,
    /// Bytes of a record that carries its content, at most.
    pub bytes: u32,
}

/// A network: its shape, who is in it beside the committees, and what happens to it from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scale {
    /// Committees and times.
    pub shape: Shape,
    /// Institutions without a seat.
    pub full: u32,
    /// What users do.
    pub load: Load,
    /// Milliseconds from one Bitcoin block to the next.
    pub block_ms: u32,
    /// Of a hundred Bitcoin blocks so many begin a reorganisation.
    pub reorganised: u32,
    /// Whether the state of every node is compared at every height; otherwise at every freeze.
    pub is_thorough: bool,
}

impl Scale {
    /// The paper's network with some full clients, at its pace, under a light load.
    pub const PAPER: Self = Self {
        shape: Shape::PAPER,
        full: 3,
        load: Load { tick_ms: 6_000, records: 100, sharing_ms: 900_000, bytes: 2_000 },
        block_ms: 600_000,
        reorganised: 10,
        is_thorough: false,
    };
    /// Four producers, four auditors, two full clients; epochs of twenty seconds.
    pub const SMALL: Self = Self {
        shape: Shape::SMALL,
        full: 2,
        load: Load { tick_ms: 500, records: 70, sharing_ms: 15_000, bytes: 1_000 },
        block_ms: 3_000,
        reorganised: 15,
        is_thorough: true,
    };

    /// Institutions that are founders.
    #[must_use]
    pub fn founders(&self) -> u32 {
        self.shape.institutions() + self.full
    }

    /// The institution that registers while the network runs.
    #[must_use]
    pub fn newcomer(&self) -> u32 {
        self.founders() + 1
    }

    /// Where users are, as the world counts institutions.
    #[must_use]
    pub fn users(&self) -> u32 {
        self.founders() + 2
    }
}

/// What all of a network share. Bitcoin, the archive and the board are what is outside of every node.
#[derive(Debug)]
pub struct Setup<R> {
    /// The rules that honest nodes follow.
    pub rules: R,
    /// Sizes and times.
    pub scale: Scale,
    /// Keys.
    pub keys: Keys,
    /// What the members agreed on.
    pub genesis: Genesis,
    /// The founders.
    pub founders: Vec<Founder>,
    /// Bitcoin.
    pub bitcoin: RefCell<Bitcoin>,
    /// Commits, each stored once.
    pub archive: RefCell<Archive>,
    /// What users read on the chain.
    pub board: RefCell<Board>,
}

/// Keys of users.
pub(super) const USERS: u32 = 12;

impl<R: Rules + 'static> Setup<R> {
    /// A network of a seed.
    ///
    /// # Panics
    /// When the scale has fewer than four auditors.
    #[must_use]
    pub fn new(rules: R, scale: Scale, seed: Seed, is_real: bool) -> Rc<Self> {
        let keys = Keys::new(scale.newcomer(), USERS, seed.get(), is_real);
        let founder = |id: u32| Founder {
            institution: InstitutionId::new(id),
            key: keys.institution(InstitutionId::new(id)),
            // The lowest ids are best, so that they have the seats.
            rating: u8::try_from(95 - (id * 60 / (scale.founders() + 1))).unwrap_or(0),
            centre: scale.founders() - id,
        };
        let founders: Vec<Founder> = (1..=scale.founders()).map(founder).collect();
        Self::of(rules, scale, keys, founders, seed)
    }

    /// A network of these founders.
    ///
    /// # Panics
    /// When they are too few for the seats.
    #[must_use]
    pub fn of(rules: R, scale: Scale, keys: Keys, founders: Vec<Founder>, seed: Seed) -> Rc<Self> {
        let shape = scale.shape;
        let count = |seats: u32| u16::try_from(seats).unwrap_or(u16::MAX);
        let (producers, auditors) = (count(shape.producers), count(shape.auditors));
        let roster = Roster::found(&founders, producers, auditors);
        let genesis = Genesis {
            name: Text::new("simulation").expect("ten letters"),
            started_at: Timestamp::new(STARTED_MS),
            turn_ms: shape.turn_ms,
            minute_ms: shape.turn_ms * MINUTE_TURNS,
            window_ms: shape.epoch_ms,
            producers,
            auditors,
            committees: roster.expect("founders fill the seats").digest(),
            registrar: keys.registrar(),
        };
        Self::with(rules, scale, keys, genesis, founders, seed)
    }

    /// A network of this genesis.
    #[must_use]
    pub fn with(
        rules: R,
        scale: Scale,
        keys: Keys,
        genesis: Genesis,
        founders: Vec<Founder>,
        seed: Seed,
    ) -> Rc<Self> {
        Rc::new(Self {
            rules,
            scale,
            bitcoin: RefCell::new(Bitcoin::new(&scale, seed)),
            keys,
            genesis,
            founders,
            archive: RefCell::default(),
            board: RefCell::default(),
        })
    }

    /// The network.
    #[must_use]
    pub fn chain_id(&self) -> ChainId {
        self.genesis.chain_id()
    }

    /// A node that has done nothing yet.
    ///
    /// # Panics
    /// Never: the genesis was made of these founders.
    #[must_use]
    pub fn node(&self, me: InstitutionId) -> Node<Keys, R> {
        let config = NodeConfig { me, delay_ms: self.scale.shape.delay_ms };
        let start = Start { genesis: self.genesis.clone(), founders: &self.founders };
        let node = Node::new(config, &start, self.keys.clone(), self.rules.clone());
        node.expect("the genesis was made of these founders")
    }
}
