//! Changes of a log by somebody who holds every key: what is changed is signed and certified anew,
//! so that the rule in question is the only one that is broken.

use std::sync::LazyLock;

use harness::build::institution_key;
use harness::oracle::ledger::By;
use harness::rules::agreement::{
    SignedHeader, SignedVote, Subject, Vote, commitment, proposal_message, vote_message,
};
use harness::rules::ids::{id, item_block_root, item_root};
use harness::rules::ledger::{Log, Told, retell};
use harness::rules::mirror::{Certificate, Decision, Item, ItemBlock, ItemBlockHeader, Proposal};
use harness::rules::wire::{Mirror, WireKind, decode};
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::types::InstitutionId;

use super::story::STORY;

static TOLD: LazyLock<Told> = LazyLock::new(|| retell(&STORY.log, &By(Ed25519)).unwrap());

pub(crate) fn told() -> &'static Told {
    &TOLD
}

/// Signs as an institution.
pub(crate) fn signed_by(id: u32, message: &[u8]) -> [u8; 64] {
    *institution_key(InstitutionId::new(id)).sign(message).as_bytes()
}

pub(crate) struct Forge {
    pub(crate) log: Log,
    /// Where the violation is expected.
    pub(crate) height: u64,
}

impl Forge {
    pub(crate) fn new() -> Self {
        Self { log: STORY.log.clone(), height: 0 }
    }

    pub(crate) fn chain_id() -> [u8; 32] {
        told().epochs[0].anchor.chain_id
    }

    /// The decision that holds a block, and the block's index in it.
    pub(crate) fn place(&self, height: u64) -> (usize, usize) {
        for at in 0..self.log.decisions.len() {
            let decision = self.decision(at);
            let mut heights = decision.blocks.iter().map(|block| block.signed.header.height);
            if let Some(block) = heights.position(|one| one == height) {
                return (at, block);
            }
        }
        panic!("no block {height}");
    }

    pub(crate) fn decision(&self, at: usize) -> Decision {
        match decode(WireKind::Decision, &self.log.decisions[at].decision).unwrap() {
            Mirror::Decision(decision) => decision,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn block(&self, height: u64) -> Proposal {
        let (at, block) = self.place(height);
        self.decision(at).blocks[block].clone()
    }

    pub(crate) fn items(&self, height: u64) -> Vec<Item> {
        let (at, block) = self.place(height);
        let items = self.log.decisions[at].items[block].iter();
        let item = |bytes: &Vec<u8>| match decode(WireKind::Item, bytes).unwrap() {
            Mirror::Item(item) => item,
            other => panic!("{other:?}"),
        };
        items.map(item).collect()
    }

    pub(crate) fn put(&mut self, at: usize, decision: Decision) {
        self.log.decisions[at].decision = Mirror::from(decision).encode();
    }

    /// Changes a decision, as it is.
    pub(crate) fn decided(&mut self, height: u64, change: impl FnOnce(&mut Decision)) {
        self.height = height;
        let (at, _) = self.place(height);
        let mut decision = self.decision(at);
        change(&mut decision);
        self.put(at, decision);
    }

    /// Changes a block, and has it signed and certified anew.
    pub(crate) fn sealed(&mut self, height: u64, change: impl FnOnce(&mut Proposal)) {
        let (_, block) = self.place(height);
        self.decided(height, |decision| {
            let proposal = &mut decision.blocks[block];
            change(proposal);
            proposal.signed.header.payload = commitment(&proposal.payload);
            sign(&mut proposal.signed);
            certify(decision);
        });
    }

    /// The same with other Items, to which the Item block commits.
    pub(crate) fn filled(
        &mut self,
        height: u64,
        items: &[Item],
        change: impl FnOnce(&mut ItemBlock),
    ) {
        let (at, block) = self.place(height);
        let encoded = items.iter().map(|item| Mirror::from(item.clone()).encode());
        self.log.decisions[at].items[block] = encoded.collect();
        let roots: Vec<_> = items.iter().map(item_root).collect();
        self.sealed(height, |proposal| {
            let header = &proposal.signed.header;
            let mut item_block = ItemBlock {
                header: ItemBlockHeader {
                    chain_id: header.chain_id,
                    height: header.height,
                    producer: header.producer,
                    closed_at: header.timestamp,
                    root: [0; 32],
                },
                items: roots,
            };
            item_block.header.root = item_block_root(&item_block);
            change(&mut item_block);
            proposal.payload.item_block = Some(item_block);
        });
    }

    /// The first height from `from` on whose block is like that.
    pub(crate) fn find(&self, from: u64, is: impl Fn(&Proposal) -> bool) -> u64 {
        let heights = told().blocks.iter().map(|block| block.height);
        heights.filter(|height| *height >= from).find(|height| is(&self.block(*height))).unwrap()
    }

    /// The first height of an epoch.
    pub(crate) fn first_of(epoch: u32) -> u64 {
        told().blocks.iter().find(|block| block.epoch == epoch).unwrap().height
    }

    pub(crate) fn verdict(&self) -> Result<(), (u64, String)> {
        match retell(&self.log, &By(Ed25519)) {
            Ok(Told { violation: None, .. }) => Ok(()),
            Ok(Told { violation: Some(violation), .. }) => Err((violation.height, violation.what)),
            Err(what) => Err((0, what)),
        }
    }
}

/// Auditors of an epoch.
pub(crate) fn auditors(epoch: u32) -> Vec<u32> {
    let ended = told().epochs.iter().find(|one| one.seats.epoch == epoch);
    ended.map_or(&told().seats, |one| &one.seats).auditors.clone()
}

/// Signs a header as its producer.
pub(crate) fn sign(signed: &mut SignedHeader) {
    signed.signature = signed_by(signed.header.producer, &proposal_message(&signed.header));
}

pub(crate) fn vote_by(signer: u32, vote: &Vote) -> SignedVote {
    let signature = signed_by(signer, &vote_message(&Forge::chain_id(), vote));
    SignedVote { vote: vote.clone(), signer, signature }
}

/// A vote with the signatures of these seats of an electorate.
pub(crate) fn certificate(vote: Vote, electorate: &[u32], seats: &[usize]) -> Certificate {
    let mut signers = vec![0; electorate.len().div_ceil(8)];
    seats.iter().for_each(|seat| signers[seat / 8] |= 1 << (seat % 8));
    let signatures = seats.iter().map(|seat| vote_by(electorate[*seat], &vote).signature).collect();
    Certificate { vote, signers, signatures }
}

/// Finalizes the last block of a decision anew.
pub(crate) fn certify(decision: &mut Decision) {
    certify_by(decision, &[0, 1, 2]);
}

pub(crate) fn certify_by(decision: &mut Decision, seats: &[usize]) {
    let last = decision.blocks.last().map(|block| block.signed.header.clone()).unwrap();
    let last = decision.closing.last().map_or(last, |closing| closing.header.clone());
    let epoch = decision.certificate.vote.epoch;
    let subject = Subject::Finalize(id(&last.clone().into()));
    let vote = Vote { epoch, view: last.view, subject };
    decision.certificate = certificate(vote, &auditors(epoch), seats);
}
