//! The words of a node as plain values, and its log as bytes.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::access::Access;
use mdsm_core::chain::{Chain, RecordIndex};
use mdsm_core::codec::Wire;
use mdsm_core::consensus::Rules;
use mdsm_core::crypto::sign::Scheme;
use mdsm_core::ledger::{self, Block, Certificate, Genesis, Item, Service};
use mdsm_core::node::{Commit, Node};
use mdsm_core::roster::{Cause, CreditChange, Founder};
use mdsm_core::types::{InstitutionId, OwnerId, RecordId};

use crate::rules::ledger::{self as rules, Decided, Log};
use crate::rules::mirror::Bytes32;
use crate::rules::roster::{Change, Why};

/// Everything that a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Credit of the founders before the first block.
    pub founded: BTreeMap<u32, i64>,
    /// Of each block.
    pub heights: Vec<HeightClaim>,
    /// `MANC` of each epoch that has ended.
    pub anchors: Vec<Vec<u8>>,
    /// Who may read what.
    pub access: AccessClaims,
}

/// What a node says behind one block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `rules::ledger::Block`")]
pub struct HeightClaim {
    pub height: u64,
    pub head: Bytes32,
    pub state: Bytes32,
    pub committees: Bytes32,
    pub credit: BTreeMap<u32, i64>,
    pub changes: Vec<Change>,
    pub booked: Vec<Bytes32>,
    pub acts: usize,
    /// `MDBL` each.
    pub cut: Vec<Vec<u8>>,
}

/// Grant, record, reader, and whether it was delivered.
pub type Reading = (Bytes32, Bytes32, Bytes32, bool);

/// Owner of a grant, its proxy, and who has served under it.
pub type Serving = (Bytes32, Option<u32>, Option<u32>);

/// Answers to questions about access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessClaims {
    /// Readings of an owner's records.
    pub readings: BTreeMap<Bytes32, BTreeSet<Reading>>,
    /// Service under a grant.
    pub services: BTreeMap<Bytes32, Option<Serving>>,
    /// Grants that wait for bids.
    pub bidding: BTreeSet<Bytes32>,
}

/// The log of a node: what it committed, and the certificates of anchors that it holds.
///
/// # Panics
/// When there are 2^32 founders.
#[must_use]
pub fn log_of<'a>(
    genesis: &Genesis,
    founders: &[Founder],
    commits: impl IntoIterator<Item = &'a Commit>,
    anchors: impl IntoIterator<Item = &'a Certificate>,
) -> Log {
    let mut all: Vec<rules::Founder> = founders
        .iter()
        .map(|one| rules::Founder {
            id: one.institution.get(),
            key: *one.key.as_bytes(),
            rating: one.rating,
            centre: one.centre,
        })
        .collect();
    all.sort_by_key(|one| one.id);
    let decisions = commits.into_iter().map(|commit| Decided {
        decision: commit.decision.to_bytes(),
        items: commit
            .items
            .iter()
            .map(|items| items.iter().map(|item| item.to_bytes()).collect())
            .collect(),
    });
    Log {
        genesis: genesis.to_bytes(),
        founders: borsh::to_vec(&all).expect("writing to memory does not fail"),
        decisions: decisions.collect(),
        anchors: anchors.into_iter().map(Wire::to_bytes).collect(),
    }
}

/// What a node says of its commits; what it does not say of each block, its chain says, which is
/// led through the same blocks again. The last block is the node's own word.
///
/// # Errors
/// When the chain refuses what the node committed.
pub fn claims<S: Scheme + Clone, R: Rules>(
    node: &Node<S, R>,
    founders: &[Founder],
    commits: &[Commit],
    frozen: &[ledger::Anchor],
    scheme: &S,
) -> Result<Claims, String> {
    let genesis = node.chain().genesis().clone();
    let mut chain = Chain::new(genesis, founders).map_err(|error| error.to_string())?;
    let founded = credit(&chain);
    let mut heights = Vec::new();
    for commit in commits {
        for (at, proposal) in commit.decision.blocks.iter().enumerate() {
            let (header, payload) = (proposal.signed.header, proposal.payload.clone());
            let block = Block { header, payload };
            let items: Vec<Item> = commit.items[at].iter().map(|item| (**item).clone()).collect();
            let index = Trusting(&block.payload.events.services);
            let checked = chain.check_by(&block, &items, &index, scheme);
            let checked = checked.map_err(|error| format!("block {}: {error}", header.height))?;
            let applied = chain.apply(checked);
            heights.push(HeightClaim {
                height: header.height.get(),
                head: *chain.head().as_bytes(),
                state: *chain.state_digest().as_bytes(),
                committees: *chain.roster().digest().as_bytes(),
                credit: credit(&chain),
                changes: commit.credit[at].iter().map(change).collect(),
                booked: commit.booked[at].iter().map(|id| *id.as_bytes()).collect(),
                acts: commit.acts[at].len(),
                cut: applied.data_blocks.iter().map(Wire::to_bytes).collect(),
            });
        }
    }
    if let Some(last) = heights.last_mut() {
        last.head = *node.chain().head().as_bytes();
        last.state = *node.chain().state_digest().as_bytes();
        last.committees = *node.chain().roster().digest().as_bytes();
        last.credit = credit(node.chain());
    }
    let access = AccessClaims::default();
    let anchors = frozen.iter().map(Wire::to_bytes).collect();
    Ok(Claims { founded, heights, anchors, access })
}

/// Takes records for new and receipts of service for earned: what of them is false, the log shows.
struct Trusting<'a>(&'a [Service]);

impl RecordIndex for Trusting<'_> {
    fn contains(&self, _: &RecordId) -> bool {
        false
    }

    fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        let is_of = |one: &&Service| one.grant == *grant && one.institution == institution;
        self.0.iter().find(is_of).map(|service| service.client)
    }
}

impl AccessClaims {
    /// The answers of a node to questions about these owners and grants.
    pub fn of(
        access: &Access,
        owners: impl IntoIterator<Item = OwnerId>,
        grants: impl IntoIterator<Item = RecordId>,
    ) -> Self {
        let readings = owners.into_iter().map(|owner| {
            let readings = access.readings_of(&owner).map(|reading| {
                let bytes = |id: &RecordId| *id.as_bytes();
                let (grant, record) = (bytes(&reading.grant), bytes(&reading.record));
                (grant, record, *reading.reader.as_bytes(), reading.is_delivered)
            });
            (*owner.as_bytes(), readings.collect())
        });
        let services = grants.into_iter().map(|grant| {
            let of = access.grant_owner(&grant).map(|owner| {
                let proxy = access.chosen_proxy(&grant).map(InstitutionId::get);
                (*owner.as_bytes(), proxy, access.served_by(&grant).map(InstitutionId::get))
            });
            (*grant.as_bytes(), of)
        });
        let bidding = access.bidding().map(|grant| *grant.as_bytes()).collect();
        Self { readings: readings.collect(), services: services.collect(), bidding }
    }
}

fn credit(chain: &Chain) -> BTreeMap<u32, i64> {
    let all = chain.roster().institutions().iter();
    all.map(|one| (one.id.get(), one.credit.get())).collect()
}

fn change(change: &CreditChange) -> Change {
    let why = match change.cause {
        Cause::Registered => Why::Joined,
        Cause::Booked => Why::Block,
        Cause::Missed => Why::Miss,
        Cause::Audited => Why::Audit,
        Cause::Offended(kind) => Why::Offence(kind as u8),
        Cause::Served => Why::Service,
        Cause::Absent => Why::Absence,
    };
    (change.institution.get(), why, change.amount)
}
