//! Evidence of every kind, E1 to E7, sound and unsound: the blocks are those of `build`, the verdicts those
//! of the rules. [CON-6] [CON-7] [COM-4]

use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::{
    BlockHeader, Evidence, Fault, Payload, Registry as _, SignedHeader, SignedVote, Subject, Vote,
};
use mdsm_core::types::{ChainId, Epoch, InstitutionId, Signature, Timestamp, View};
use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, decimal, named};
use crate::build::{self, Draft, Flaw, Network, flawed};
use crate::rules::ed25519::Curve;
use crate::rules::ledger::Roll;
use crate::rules::mirror::Bytes32;
use crate::rules::wire::{Mirror, WireKind, decode};

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "evidence",
        "Evidence: what convicts an institution, and what looks like it. A network of 4 producers, ids 1 to 4, and 4 auditors, ids 5 to 8.",
    );
    let flags = [
        (
            "honest-convicted",
            "statements that one honest institution makes are taken for an offence",
            "whoever follows the protocol loses its seat",
        ),
        ("offence-missed", "an offence that is shown is not seen", "whoever cheats keeps its seat"),
        (
            "signature-unchecked",
            "the accused's signature is not checked",
            "anybody convicts anybody",
        ),
        (
            "outsider-convicted",
            "somebody who is not registered is convicted",
            "the roster is told of an institution that it does not know",
        ),
        (
            "fault-believed",
            "what is shown is not compared with what the block commits to",
            "a sound block is called invalid",
        ),
        (
            "chain-unbound",
            "statements of another network count",
            "an institution of two networks is convicted in both",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    let scene = Scene::new();
    scene.votes(&mut maker);
    scene.proposals(&mut maker);
    scene.blocks(&mut maker);
    maker.done()
}

/// A sound block above another, and who is who.
pub(super) struct Scene {
    pub(super) roll: build::Roll,
    pub(super) draft: Draft,
}

const AUDITOR: u32 = 6;

impl Scene {
    pub(super) fn new() -> Self {
        let mut network = Network::new();
        let roll = build::Roll::new(network.chain.id(), 4);
        network.turn(6_000, 3);
        let parent = network.tip().expect("one turn has passed");
        let items = network.new_items(13);
        let payload = Payload {
            parent_certificate: Some(roll.notarization(&parent)),
            ..network.block_of(12_000, &items).payload
        };
        let block = network.block_with(12_000, payload);
        Self { roll, draft: Draft { parent: Some(parent), block, items } }
    }

    pub(super) fn header(&self) -> BlockHeader {
        self.draft.block.header
    }

    pub(super) fn args(&self, evidence: &Evidence) -> Value {
        let seat = |id: u32| {
            let key = self.roll.key_of(InstitutionId::new(id)).expect("it holds a seat");
            json!({"institution": id, "key": bytes(key.as_bytes())})
        };
        json!({
            "chain_id": bytes(self.roll.chain.as_bytes()),
            "epoch": 0,
            "producers": (1..=4).map(seat).collect::<Value>(),
            "auditors": (5..=8).map(seat).collect::<Value>(),
            "offset": "0",
            "evidence": bytes(evidence.to_bytes()),
        })
    }

    /// What the rules say.
    pub(super) fn judged(&self, evidence: &Evidence) -> Result<Value, String> {
        let key = |id: u32| -> Option<Bytes32> {
            let is_seated = (1..=8).contains(&id);
            let key = self.roll.key_of(InstitutionId::new(id)).filter(|_| is_seated);
            key.map(|key| *key.as_bytes())
        };
        let auditors = |epoch: u32| {
            let all = || (5..=8).filter_map(|id| Some((id, key(id)?))).collect();
            (epoch == 0).then(all)
        };
        let roll = Roll {
            chain_id: *self.roll.chain.as_bytes(),
            key_of: &key,
            auditors_of: &auditors,
            signatures: &Curve,
        };
        let Mirror::Evidence(mirror) = decode(WireKind::Evidence, &evidence.to_bytes())? else {
            return Err("not evidence".to_owned());
        };
        let offence = roll.judge(&mirror)?;
        Ok(json!({
            "institution": offence.institution,
            "epoch": offence.epoch,
            "view": decimal(offence.view),
            "kind": offence.kind,
        }))
    }

    fn proves(&self, maker: &mut Maker, id: &str, evidence: &Evidence, of: &[&str]) {
        maker.finding(&["offence-missed"]);
        let ok = self.judged(evidence).unwrap_or_else(|why| panic!("{id}: {why}"));
        let id = format!("evidence.judge.{id}");
        maker.valid(id, "evidence.judge", self.args(evidence), ok, of);
    }

    fn fails(
        &self,
        maker: &mut Maker,
        (flag, id): (&'static str, &str),
        evidence: &Evidence,
        classes: &[Class],
    ) {
        assert!(self.judged(evidence).is_err(), "{id}: the rules convict");
        maker.finding(&[flag]);
        let id = format!("evidence.judge.{id}");
        maker.invalid(id, "evidence.judge", self.args(evidence), classes, &["CON-7.9"]);
    }

    fn vote(&self, signer: u32, vote: Vote) -> SignedVote {
        self.roll.vote(InstitutionId::new(signer), vote)
    }

    fn votes(&self, maker: &mut Maker) {
        let [one, other] = ["one", "other"].map(|label| digest(&named(label)));
        let vote = |view, subject| Vote { epoch: Epoch::new(0), view: View::new(view), subject };
        let pair = |first: Vote, second: Vote| {
            let (first, second) = (self.vote(AUDITOR, first), self.vote(AUDITOR, second));
            Evidence::Votes { first, second }
        };
        let (notarize, finalize) = (Subject::Notarize, Subject::Finalize);
        let sound = [
            ("e2-two-notarizations", 3, notarize(one), notarize(other)),
            ("e3-nullify-and-finalize", 3, Subject::Nullify, finalize(one)),
            ("e3-finalize-and-nullify", 3, finalize(one), Subject::Nullify),
            ("e4-two-finalizations", 3, finalize(one), finalize(other)),
            ("e7-two-anchors", 0, Subject::Anchor(one), Subject::Anchor(other)),
        ];
        for (id, view, first, second) in sound {
            let evidence = pair(vote(view, first), vote(view, second));
            self.proves(maker, id, &evidence, &["CON-7.8"]);
        }
        // A producer signs anchors too.
        let anchor = |root| self.vote(2, vote(0, Subject::Anchor(root)));
        let evidence = Evidence::Votes { first: anchor(one), second: anchor(other) };
        self.proves(maker, "e7-two-anchors-of-a-producer", &evidence, &["CON-7.10"]);

        let unproven = [Class::Unproven];
        let honest = [
            ("one-notarization-twice", 3, notarize(one), notarize(one)),
            ("one-finalization-twice", 3, finalize(one), finalize(one)),
            ("one-nullification-twice", 3, Subject::Nullify, Subject::Nullify),
            ("notarize-and-finalize", 3, notarize(one), finalize(one)),
            ("notarize-and-finalize-another", 3, notarize(one), finalize(other)),
            ("notarize-and-nullify", 3, notarize(one), Subject::Nullify),
            ("one-anchor-twice", 0, Subject::Anchor(one), Subject::Anchor(one)),
            ("anchors-that-name-a-view", 3, Subject::Anchor(one), Subject::Anchor(other)),
            ("anchor-and-nullify", 0, Subject::Anchor(one), Subject::Nullify),
            ("anchor-and-finalize", 0, Subject::Anchor(one), finalize(other)),
        ];
        for (id, view, first, second) in honest {
            let evidence = pair(vote(view, first), vote(view, second));
            self.fails(maker, ("honest-convicted", id), &evidence, &unproven);
        }
        let apart = [
            ("notarizations-of-two-views", notarize(one), notarize(other)),
            ("finalizations-of-two-views", finalize(one), finalize(other)),
            ("nullify-and-finalize-of-two-views", Subject::Nullify, finalize(other)),
        ];
        for (id, first, second) in apart {
            let evidence = pair(vote(3, first), vote(4, second));
            self.fails(maker, ("honest-convicted", id), &evidence, &unproven);
            let next = Vote { epoch: Epoch::new(1), ..vote(3, second) };
            let id = id.replace("views", "epochs");
            self.fails(maker, ("honest-convicted", &id), &pair(vote(3, first), next), &unproven);
        }
        let first = self.vote(AUDITOR, vote(3, notarize(one)));
        let second = self.vote(AUDITOR, vote(3, notarize(other)));
        let votes = |first, second| Evidence::Votes { first, second };
        let strangers = votes(first, self.vote(7, vote(3, notarize(other))));
        self.fails(maker, ("honest-convicted", "votes-of-two-auditors"), &strangers, &unproven);
        for (id, wrong) in [("first", 0), ("second", 1)] {
            let mut both = [first, second];
            let mut bytes = *both[wrong].signature.as_bytes();
            bytes[3] ^= 1;
            both[wrong].signature = Signature::new(bytes);
            let id = format!("votes-with-a-spoilt-{id}-signature");
            let flag = ("signature-unchecked", id.as_str());
            self.fails(maker, flag, &votes(both[0], both[1]), &[Class::Signature]);
        }
        let mut accused = [first, second];
        accused.iter_mut().for_each(|vote| vote.signer = InstitutionId::new(7));
        let flag = ("signature-unchecked", "votes-put-down-to-another");
        self.fails(maker, flag, &votes(accused[0], accused[1]), &[Class::Signature]);
        accused.iter_mut().for_each(|vote| vote.signer = InstitutionId::new(99));
        let flag = ("outsider-convicted", "votes-of-an-outsider");
        self.fails(maker, flag, &votes(accused[0], accused[1]), &[Class::Outsider]);
        let elsewhere = build::Roll { chain: chain("another"), ..self.roll };
        let foreign = |subject| elsewhere.vote(InstitutionId::new(AUDITOR), vote(3, subject));
        let flag = ("chain-unbound", "votes-of-another-network");
        let evidence = votes(foreign(notarize(one)), foreign(notarize(other)));
        self.fails(maker, flag, &evidence, &[Class::Signature, Class::Unproven]);
    }

    fn proposals(&self, maker: &mut Maker) {
        let header = self.header();
        let first = self.roll.signed(header);
        let later = Timestamp::new(header.timestamp.get() + 1);
        let other = BlockHeader { timestamp: later, ..header };
        let second = self.roll.signed(other);
        let both = |first: SignedHeader, second| Evidence::Proposals { first, second };
        self.proves(maker, "e1-two-proposals", &both(first, second), &["CON-7.14"]);
        let payload = BlockHeader { payload: digest(&named("payload")), ..header };
        let evidence = both(second, self.roll.signed(payload));
        self.proves(maker, "e1-two-payloads", &evidence, &["CON-7.14"]);

        let (honest, unproven) = ("honest-convicted", [Class::Unproven]);
        self.fails(maker, (honest, "one-proposal-twice"), &both(first, first), &unproven);
        let view = BlockHeader { view: View::new(header.view.get() + 4), ..other };
        let evidence = both(first, self.roll.signed(view));
        self.fails(maker, (honest, "proposals-of-two-views"), &evidence, &unproven);
        let epoch = BlockHeader { epoch: Epoch::new(1), ..other };
        let evidence = both(first, self.roll.signed(epoch));
        self.fails(maker, (honest, "proposals-of-two-epochs"), &evidence, &unproven);
        let producer = BlockHeader { producer: InstitutionId::new(3), ..other };
        let evidence = both(first, self.roll.signed(producer));
        self.fails(maker, (honest, "proposals-of-two-producers"), &evidence, &unproven);
        let forged = SignedHeader { signature: first.signature, ..second };
        let flag = ("signature-unchecked", "proposals-with-one-signature");
        self.fails(maker, flag, &both(first, forged), &[Class::Signature]);
        let flag = ("signature-unchecked", "proposals-with-the-first-forged");
        let forged = SignedHeader { signature: second.signature, ..first };
        self.fails(maker, flag, &both(forged, second), &[Class::Signature]);
        let stranger =
            |header| self.roll.signed(BlockHeader { producer: InstitutionId::new(99), ..header });
        let flag = ("outsider-convicted", "proposals-of-an-outsider");
        let evidence = both(stranger(header), stranger(other));
        self.fails(maker, flag, &evidence, &[Class::Outsider]);
        let foreign =
            |header| self.roll.signed(BlockHeader { chain_id: chain("another"), ..header });
        let flag = ("chain-unbound", "proposals-of-another-network");
        self.fails(maker, flag, &both(foreign(header), foreign(other)), &unproven);
        // An honest re-signing of one header: Ed25519 gives one signature, yet others also hold.
        let mut other_nonce = first;
        other_nonce.signature = second.signature;
        self.fails(
            maker,
            (honest, "one-header-with-two-signatures"),
            &both(first, other_nonce),
            &unproven,
        );
    }

    fn blocks(&self, maker: &mut Maker) {
        let auditor = InstitutionId::new(AUDITOR);
        let sound = self.roll.signed(self.header());
        let mut shown = None;
        for flaw in Flaw::ALL {
            let made = flawed(&self.draft, flaw).expect("the draft has room for every flaw");
            let name = name_of(flaw);
            let (header, fault) = (self.roll.signed(made.block.header), Box::new(made.fault));
            let block = Evidence::Block { header, fault: fault.clone() };
            let of: Vec<&str> = ["CON-6.2", "COM-4.4"].into_iter().chain(rule(flaw)).collect();
            self.proves(maker, &format!("e5-{name}"), &block, &of);
            let vote = self.roll.notarize(auditor, &header.header);
            if matches!(flaw, Flaw::Header | Flaw::CertificateQuorum | Flaw::RecordSignature) {
                let audit = Evidence::Audit { header, fault: fault.clone(), vote };
                self.proves(maker, &format!("e6-{name}"), &audit, &["CON-4.1", "COM-4.4"]);
            }
            // The same fault, shown of a block that has it not.
            let wrong = Evidence::Block { header: sound, fault: fault.clone() };
            let id = format!("e5-sound-block-{name}");
            self.fails(maker, ("fault-believed", &id), &wrong, &[Class::Unproven]);
            if flaw == Flaw::RecordFuture {
                shown = Some((header, fault, vote));
            }
        }
        let (header, fault, vote) = shown.expect("one of the flaws");
        let unsigned = |header| Evidence::Block { header, fault: fault.clone() };
        let mut forged = header;
        forged.signature = Signature::new([7; 64]);
        let flag = ("signature-unchecked", "e5-unsigned");
        self.fails(maker, flag, &unsigned(forged), &[Class::Signature]);
        let mut stranger = header;
        stranger.header.producer = InstitutionId::new(99);
        let flag = ("outsider-convicted", "e5-of-an-outsider");
        self.fails(maker, flag, &unsigned(stranger), &[Class::Outsider]);

        let audit = |header, vote| Evidence::Audit { header, fault: fault.clone(), vote };
        // The producer's signature is not what convicts the auditor.
        self.proves(maker, "e6-of-an-unsigned-block", &audit(forged, vote), &["COM-4.4"]);
        let other = self.roll.notarize(auditor, &self.header());
        let flag = ("honest-convicted", "e6-vote-for-another-block");
        self.fails(maker, flag, &audit(header, other), &[Class::Unproven]);
        let hash = vote.vote.subject.digest().copied().unwrap_or(digest(&named("block")));
        let finalize = Vote { subject: Subject::Finalize(hash), ..vote.vote };
        let flag = ("honest-convicted", "e6-vote-to-finalize");
        let evidence = audit(header, self.vote(AUDITOR, finalize));
        self.fails(maker, flag, &evidence, &[Class::Unproven]);
        let mut spoilt = vote;
        spoilt.signature = Signature::new([7; 64]);
        let flag = ("signature-unchecked", "e6-unsigned-vote");
        self.fails(maker, flag, &audit(header, spoilt), &[Class::Signature]);
        let sound_vote = self.roll.notarize(auditor, &self.header());
        let kept = Evidence::Audit { header: sound, fault: fault.clone(), vote: sound_vote };
        self.fails(maker, ("fault-believed", "e6-of-a-sound-block"), &kept, &[Class::Unproven]);
        let parent = self.draft.parent.expect("the block is not the first");
        let faults = [
            ("e5-header-of-a-sound-block", Fault::Header),
            ("e5-parent-of-a-sound-block", Fault::Parent(parent)),
            ("e5-another-parent", Fault::Parent(self.header())),
            (
                "e5-item-block-of-a-sound-block",
                Fault::ItemBlock(self.draft.block.payload.summary()),
            ),
        ];
        for (id, fault) in faults {
            let evidence = Evidence::Block { header: sound, fault: Box::new(fault) };
            self.fails(maker, ("fault-believed", id), &evidence, &[Class::Unproven]);
        }
    }
}

fn digest(bytes: &Bytes32) -> mdsm_core::types::Digest {
    mdsm_core::types::Digest::new(*bytes)
}

fn chain(label: &str) -> ChainId {
    ChainId::new(named(label))
}

/// The sentence that a flaw breaks, where one is about it: what breaks it is an offence, or it is no rule.
const fn rule(flaw: Flaw) -> Option<&'static str> {
    match flaw {
        Flaw::ParentHeight => Some("CON-4.5"),
        Flaw::ParentTime => Some("STO-12.7"),
        Flaw::CertificateQuorum | Flaw::CertificateSignature => Some("CON-7.1"),
        Flaw::ItemBlockChain
        | Flaw::ItemBlockHeight
        | Flaw::ItemBlockProducer
        | Flaw::ItemBlockClosed => Some("STO-9.2"),
        Flaw::ItemEmpty => Some("STO-3.2"),
        Flaw::ItemOfEleven => Some("STO-3.1"),
        Flaw::RecordSignature => Some("STO-2.3"),
        Flaw::RecordKey => Some("STO-2.5"),
        Flaw::RecordFuture => Some("STO-8.7"),
        Flaw::RecordSize => Some("STO-4.1"),
        Flaw::RepeatedInItem | Flaw::RepeatedInBlock => Some("CON-4.6"),
        Flaw::Header
        | Flaw::ParentView
        | Flaw::ParentEpoch
        | Flaw::CertificateBlock
        | Flaw::CertificateView
        | Flaw::CertificateEpoch
        | Flaw::CertificateSubject => None,
    }
}

/// `RecordFuture` as `record-future`.
fn name_of(flaw: Flaw) -> String {
    let mut name = String::new();
    for letter in format!("{flaw:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
