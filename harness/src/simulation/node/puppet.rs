//! Faulty nodes: an honest node whose messages a strategy changes. The strategies are those of
//! consensus; what they do not know passes through them as a sealed letter.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{Payload, Proposal, SignedHeader};
use mdsm_core::node::Message;
use mdsm_core::types::{Digest, Epoch, InstitutionId};

use super::Action;
use super::flaws::{Deed, Flawer};
use super::host::NodeHost;
use super::wire::{Body, Wire};
use crate::seed::Seed;
use crate::simulation::cluster::{self, Block, Chain, ConsensusHost, Signatures};
use crate::simulation::strategies::{Deviant, Out};
use crate::simulation::world;

/// Letters and proposals that are remembered.
const MEMORY: usize = 1_024;

/// How a node deviates.
#[derive(Debug)]
pub struct Puppet<R: Rules + 'static> {
    /// What it does.
    pub deed: Deed,
    deviant: Option<Deviant<R>>,
    flawer: Option<Flawer>,
    /// What strategies look at.
    shadow: ConsensusHost<R>,
    setup: Rc<cluster::Setup<R>>,
    letters: BTreeMap<Digest, Rc<Wire>>,
    order: VecDeque<Digest>,
    payloads: VecDeque<(Digest, Payload)>,
    blocks: VecDeque<(Epoch, Arc<Block>)>,
    count: u64,
}

impl<R: Rules + 'static> Puppet<R> {
    /// A deviation of an institution.
    #[must_use]
    pub fn new(deed: Deed, host: &NodeHost<R>, seed: Seed) -> Self {
        let (me, scale) = (host.me(), host.setup.scale);
        let signatures = Signatures::ideal(seed.get() ^ 0x5ad0);
        let rules = host.setup.rules.clone();
        let mut setup = cluster::Setup::new(rules, scale.shape, signatures, Vec::new());
        setup.chain = host.setup.chain_id();
        let setup = Rc::new(setup);
        let random = || seed.stream(&format!("simulation/strategy/{}", me.get()));
        let (deviant, flawer) = match deed {
            Deed::Shared(name) => (Some(Deviant::new(name, random(), seed)), None),
            other => (None, Some(Flawer::new(other, random()))),
        };
        Self {
            deed,
            deviant,
            flawer,
            shadow: ConsensusHost::new(&setup, me, host.skew_ms),
            setup,
            letters: BTreeMap::new(),
            order: VecDeque::new(),
            payloads: VecDeque::new(),
            blocks: VecDeque::new(),
            count: 0,
        }
    }

    /// How often it acted.
    #[must_use]
    pub fn acted(&self) -> u64 {
        let deviant = self.deviant.as_ref().map_or(0, |deviant| deviant.acted);
        deviant + self.flawer.as_ref().map_or(0, |flawer| flawer.acted)
    }

    /// Changes what the node does.
    pub(super) fn twist(
        &mut self,
        host: &mut NodeHost<R>,
        honest: Vec<Action<R>>,
        out: &mut Vec<Action<R>>,
    ) {
        if let Some(flawer) = &mut self.flawer {
            return flawer.twist(host, honest, out);
        }
        self.mimic(host);
        for action in honest {
            match action {
                Action::Send { to, message } => {
                    let message = self.disguise(&message);
                    let sent = vec![world::Action::Send { to, message }];
                    let mut twisted = Out::new();
                    if let Some(deviant) = &mut self.deviant {
                        deviant.twist(&self.shadow, sent, &mut twisted);
                    }
                    self.unmask(host, twisted, out);
                }
                other => out.push(other),
            }
        }
    }

    /// A message came; whether the node hears of it.
    pub(super) fn hear(
        &mut self,
        host: &mut NodeHost<R>,
        from: u32,
        message: &Rc<Wire>,
        out: &mut Vec<Action<R>>,
    ) -> bool {
        if let Some(flawer) = &mut self.flawer {
            return flawer.hear(message);
        }
        self.mimic(host);
        let message = self.disguise(message);
        let mut twisted = Out::new();
        let hears = match &mut self.deviant {
            Some(deviant) => deviant.hear(&self.shadow, from, &message, &mut twisted),
            None => true,
        };
        self.unmask(host, twisted, out);
        hears
    }

    /// Some time has passed; whether the node forgets everything.
    pub(super) fn tick(&mut self, host: &mut NodeHost<R>, out: &mut Vec<Action<R>>) -> bool {
        self.mimic(host);
        let mut twisted = Out::new();
        let forgets = match &mut self.deviant {
            Some(deviant) => deviant.tick(&self.shadow, &mut twisted),
            None => false,
        };
        self.unmask(host, twisted, out);
        forgets
    }

    /// Shows the strategy the node's state.
    fn mimic(&mut self, host: &NodeHost<R>) {
        let (consensus, node_chain) = (host.node().consensus(), host.node().chain());
        let mut chain = Chain::new(&*self.setup);
        chain.committees = consensus.committees().clone();
        (chain.genesis, chain.base) =
            (node_chain.opened_at().0, (node_chain.height(), node_chain.opened_at().1));
        (chain.tip, chain.height) = (node_chain.head(), node_chain.height());
        let open = self.blocks.iter().filter(|(epoch, _)| *epoch == consensus.epoch());
        open.for_each(|(_, block)| chain.keep(block));
        self.shadow.mimic(host.now_ms, consensus.clone(), chain, host.everyone.clone());
    }

    /// A message as strategies know it.
    fn disguise(&mut self, message: &Rc<Wire>) -> Rc<cluster::Wire> {
        let body = match &message.body {
            Body::Node(Message::Vote(signed)) => cluster::Body::Vote(*signed),
            Body::Node(Message::Certificate(certificate)) => {
                cluster::Body::Certificate(certificate.clone())
            }
            Body::Node(Message::Ask { epoch, view }) => {
                cluster::Body::Ask { epoch: *epoch, view: *view }
            }
            Body::Node(Message::Proposal(proposal)) => {
                let header = &proposal.signed.header;
                if !self.payloads.iter().any(|(known, _)| *known == header.payload) {
                    self.payloads.push_back((header.payload, proposal.payload.clone()));
                    self.payloads.keep_last(16);
                }
                let block = Arc::new(Block::new(proposal.signed));
                self.blocks.push_back((header.epoch, block.clone()));
                self.blocks.keep_last(64);
                cluster::Body::Proposal(block)
            }
            _ => {
                self.count += 1;
                let mut token = [0x1e; 32];
                token[..8].copy_from_slice(&self.count.to_le_bytes());
                let token = Digest::new(token);
                self.letters.insert(token, message.clone());
                self.order.push_back(token);
                if self.order.len() > MEMORY {
                    let oldest = self.order.pop_front();
                    oldest.map(|oldest| self.letters.remove(&oldest));
                }
                cluster::Body::AskBlock(token)
            }
        };
        Rc::new(cluster::Wire::new(body))
    }

    /// What the strategy does, as nodes know it, signed with the node's key where it is its own.
    fn unmask(&mut self, host: &NodeHost<R>, twisted: Out<R>, out: &mut Vec<Action<R>>) {
        for action in twisted {
            let world::Action::Send { to, message } = action else { continue };
            if let Some(message) = self.open(host, &message.body) {
                out.push(Action::Send { to, message });
            }
        }
    }

    fn open(&self, host: &NodeHost<R>, body: &cluster::Body) -> Option<Rc<Wire>> {
        let message = match body {
            cluster::Body::Vote(signed) => {
                let is_own = self.shadow.signed(signed.vote) == *signed;
                Message::Vote(if is_own { host.signed(signed.vote) } else { *signed })
            }
            cluster::Body::Certificate(certificate) => Message::Certificate(certificate.clone()),
            cluster::Body::Ask { epoch, view } => Message::Ask { epoch: *epoch, view: *view },
            cluster::Body::Proposal(block) => {
                let signed: SignedHeader = ***block;
                let is_own = self.shadow.signed_header(signed.header) == signed;
                let signed = if is_own { host.signed_header(signed.header) } else { signed };
                let known = self.payloads.iter().find(|(id, _)| *id == signed.header.payload);
                let payload = known.map(|(_, payload)| payload.clone()).unwrap_or_default();
                Message::Proposal(Arc::new(Proposal { signed, payload }))
            }
            cluster::Body::AskBlock(token) => return self.letters.get(token).cloned(),
            cluster::Body::Block { .. } => return None,
        };
        Some(Wire::new(Body::Node(message)))
    }
}

trait KeepLast {
    fn keep_last(&mut self, most: usize);
}

impl<T> KeepLast for VecDeque<T> {
    fn keep_last(&mut self, most: usize) {
        while self.len() > most {
            self.pop_front();
        }
    }
}

/// The hash of a proposal's block.
pub(super) fn hash_of(proposal: &Proposal) -> Digest {
    proposal.signed.header.id()
}

/// Whether a message is a proposal by this producer.
pub(super) fn own_proposal(message: &Wire, me: InstitutionId) -> Option<&Arc<Proposal>> {
    match &message.body {
        Body::Node(Message::Proposal(proposal)) if proposal.signed.header.producer == me => {
            Some(proposal)
        }
        _ => None,
    }
}
