//! Planted changes of headers, finalizations and Items: each is found, at its block, in words
//! that name it.

use harness::rules::agreement::Subject;
use harness::rules::ids::id;
use harness::rules::mirror::{Decision, Proposal};

use super::forge::{Forge, auditors, certificate, certify_by, signed_by};
use super::story::DOUBLE_VOTER;

/// Name, words that must be in the verdict, and the change.
pub(crate) type Planted = (&'static str, &'static str, fn(&mut Forge));

/// A block in the middle of the first epoch, with Items, whose parent is of its epoch too.
pub(crate) const AT: u64 = 7;

pub(crate) fn all_are_found(planted: &[Planted]) {
    for (name, words, change) in planted {
        let mut forge = Forge::new();
        change(&mut forge);
        let (height, what) = forge.verdict().expect_err(name);
        assert!(what.contains(words), "{name}: {what}");
        assert_eq!(height, forge.height, "{name}: {what}");
    }
}

#[test]
fn what_is_signed_anew_without_a_change_is_no_violation() {
    for height in [AT, Forge::first_of(1), Forge::first_of(2) + 3] {
        let mut forge = Forge::new();
        let items = forge.items(height);
        let before = forge.block(height);
        forge.filled(height, &items, |_| ());
        assert_eq!(forge.block(height), before);
        assert_eq!(forge.verdict(), Ok(()));
    }
}

const HEADERS: &[Planted] = &[
    ("another network", "another network", |forge| {
        forge.sealed(AT, |block| block.signed.header.chain_id[0] ^= 1);
    }),
    ("a block of the next epoch", "names epoch 1", |forge| {
        forge.sealed(AT, |block| block.signed.header.epoch = 1);
    }),
    ("another parent", "another parent", |forge| {
        forge.sealed(AT, |block| block.signed.header.parent[0] ^= 1);
    }),
    ("a parent of another view", "another view as its parent's", |forge| {
        forge.sealed(AT, |block| block.signed.header.parent_view = 0);
    }),
    ("a first block with a parent view", "another view as its parent's", |forge| {
        forge.sealed(Forge::first_of(1), |block| block.signed.header.parent_view = 1);
    }),
    ("a view not above the parent's", "not above the parent's", |forge| {
        forge.sealed(AT, |block| {
            let header = &mut block.signed.header;
            header.view = header.parent_view;
        });
    }),
    ("a height left out", "height is not one above", |forge| {
        forge.sealed(AT, |block| block.signed.header.height += 1);
    }),
    ("leader out of turn", "out of turn", |forge| {
        forge.sealed(AT, |block| {
            let header = &mut block.signed.header;
            header.producer = header.producer % 4 + 1;
        });
    }),
    ("a skipped view by the same leader", "out of turn", |forge| {
        forge.sealed(AT, |block| block.signed.header.view += 1);
    }),
    ("time going back", "time is not above", |forge| {
        let before = forge.block(AT - 1).signed.header.timestamp;
        forge.sealed(AT, |block| block.signed.header.timestamp = before);
    }),
    ("another payload", "another payload", |forge| {
        forge.decided(AT, |decision| decision.blocks[0].payload.parent_certificate = None);
    }),
    ("forged proposal signature", "producer's signature", |forge| {
        forge.decided(AT, |decision| decision.blocks[0].signed.signature[5] ^= 1);
    }),
    ("a proposal signed by somebody else", "producer's signature", |forge| {
        forge.decided(AT, |decision| decision.blocks[0].signed.signature = signed_by(9, b"MPRO"));
    }),
];

#[test]
fn con_4_5_changes_of_headers_are_found() {
    all_are_found(HEADERS);
}

const FINALIZATIONS: &[Planted] = &[
    ("certificate with q - 1", "2 signers of 3", |forge| {
        forge.decided(AT, |decision| certify_by(decision, &[0, 2]));
    }),
    ("a signer counted twice", "not one signature for each signer", |forge| {
        forge.decided(AT, |decision| {
            certify_by(decision, &[0, 2]);
            let again = decision.certificate.signatures[0];
            decision.certificate.signatures.push(again);
        });
    }),
    ("a padded bitmap", "a seat that does not exist", |forge| {
        forge.decided(AT, |decision| {
            certify_by(decision, &[0, 2]);
            decision.certificate.signers[0] |= 1 << 6;
            let again = decision.certificate.signatures[0];
            decision.certificate.signatures.push(again);
        });
    }),
    ("a longer bitmap", "another length", |forge| {
        forge.decided(AT, |decision| decision.certificate.signers.push(0));
    }),
    ("a signature that does not hold", "does not hold", |forge| {
        forge.decided(AT, |decision| decision.certificate.signatures[1][40] ^= 1);
    }),
    ("a notarization instead", "for something else", |forge| {
        forge.decided(AT, |decision| {
            let mut vote = decision.certificate.vote.clone();
            vote.subject = Subject::Notarize(id(&last(decision).signed.header.clone().into()));
            decision.certificate = certificate(vote, &auditors(0), &[0, 1, 2]);
        });
    }),
    ("the finalization of another block", "for something else", |forge| {
        forge.decided(AT, |decision| {
            let mut vote = decision.certificate.vote.clone();
            vote.subject = Subject::Finalize([7; 32]);
            decision.certificate = certificate(vote, &auditors(0), &[0, 1, 2]);
        });
    }),
    ("the finalization of another view", "of another view", |forge| {
        forge.decided(AT, |decision| {
            let mut vote = decision.certificate.vote.clone();
            vote.view += 1;
            decision.certificate = certificate(vote, &auditors(0), &[0, 1, 2]);
        });
    }),
    ("the committee before", "signature of 9 does not hold", |forge| {
        let height = Forge::first_of(2) + 1;
        forge.decided(height, |decision| {
            let vote = decision.certificate.vote.clone();
            assert!(auditors(1).contains(&DOUBLE_VOTER) && !auditors(2).contains(&DOUBLE_VOTER));
            decision.certificate = certificate(vote, &auditors(1), &[0, 1, 2]);
        });
    }),
];

fn last(decision: &Decision) -> &Proposal {
    decision.blocks.last().unwrap()
}

#[test]
fn con_7_1_changes_of_finalizations_are_found() {
    all_are_found(FINALIZATIONS);
}

const ITEMS: &[Planted] = &[
    ("swapped Item blocks", "names another height", |forge| {
        let other = forge.block(AT + 1).payload.item_block;
        forge.sealed(AT, |block| block.payload.item_block = other);
    }),
    ("another root over the Items", "root of the Item block", |forge| {
        let items = forge.items(AT);
        forge.filled(AT, &items, |block| block.header.root[3] ^= 1);
    }),
    ("an Item block of another producer", "names another producer", |forge| {
        let items = forge.items(AT);
        forge.filled(AT, &items, |block| block.header.producer += 1);
    }),
    ("an Item block closed later", "closed after the block", |forge| {
        let items = forge.items(AT);
        forge.filled(AT, &items, |block| block.header.closed_at += 1);
    }),
    ("an Item left out", "number of Items", |forge| {
        forge.height = AT;
        let (at, block) = forge.place(AT);
        forge.log.decisions[at].items[block].pop();
    }),
    ("an Item of another block", "another than the block names", |forge| {
        forge.height = AT;
        let ((at, block), (other, its)) = (forge.place(AT), forge.place(AT + 1));
        forge.log.decisions[at].items[block] = forge.log.decisions[other].items[its].clone();
    }),
    ("Items without an Item block", "without Item block", |forge| {
        forge.sealed(AT, |block| block.payload.item_block = None);
    }),
    ("record twice on the chain", "booked before", |forge| {
        let items = forge.items(AT);
        forge.filled(AT + 4, &items, |_| ());
    }),
    ("record twice in a block", "twice in one block", |forge| {
        let items = forge.items(AT);
        forge.filled(AT, &[items.clone(), items].concat(), |_| ());
    }),
    ("a forged owner's signature", "owner's signature", |forge| {
        let mut items = forge.items(AT);
        items[0].records[0].owner_signature[9] ^= 1;
        forge.filled(AT, &items, |_| ());
    }),
    ("a record by a delegate that is not registered", "not registered", |forge| {
        let mut items = forge.items(AT);
        items[0].records[0].booked_by = 9_999;
        forge.filled(AT, &items, |_| ());
    }),
    ("an owner's key of small order", "unsound", |forge| {
        let mut items = forge.items(AT);
        items[0].records[0].record.owner =
            [[1; 1].as_slice(), &[0; 31]].concat().try_into().unwrap();
        forge.filled(AT, &items, |_| ());
    }),
];

#[test]
fn sto_9_2_changes_of_items_are_found() {
    all_are_found(ITEMS);
}
