//! What can be said in a run: blocks, votes, certificates and journal entries, each with a number.
//!
//! A block has a name: the values along its chain from the genesis, with its view, such as `1a.3b`;
//! `|` stands before the first block of an epoch, `!` behind a block that breaks a rule, `?` behind one
//! that somebody else than the leader made. Value `h` is that of the honest leader of a suffix.

use std::collections::HashMap;
use std::sync::Arc;

use mdsm_core::consensus::JournalEntry;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    BlockHeader, Certificate, SealedHeader, SignedHeader, Subject, Vote, quorum,
};
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, Signature, Timestamp, View,
};

use super::bits::FoldMap;
use super::config::Config;

const CHAIN: ChainId = ChainId::new([7; 32]);
/// The parent of the first block.
const GENESIS: Digest = Digest::new([1; 32]);
/// The value of a block that an honest leader makes.
pub(super) const HONEST: u8 = b'h' - b'a';

/// What a block is in its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// One among others.
    Regular,
    /// The last one, if it becomes final.
    Last,
    /// Behind the last one, to make it final.
    Closing,
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Flaw {
    /// Nothing.
    None,
    /// Its check fails.
    Invalid,
    /// It is not by the leader.
    Stranger,
}

/// A block that can be proposed.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its epoch.
    pub(super) epoch: u8,
    /// Its view.
    pub(super) view: u8,
    /// Its parent; nothing for the genesis.
    pub(super) parent: Option<u16>,
    /// View of the parent, as the header has it.
    pub(super) parent_view: u8,
    /// What it is in its epoch.
    pub(super) kind: Kind,
    /// What is wrong with it.
    pub(super) flaw: Flaw,
    /// The header.
    pub(super) sealed: Arc<SealedHeader>,
    /// Its hash.
    pub(super) hash: Digest,
    /// Its name.
    pub(super) name: String,
}

/// More than fits in the sets of numbers.
pub(super) type Full = &'static str;

/// Everything that can be said.
#[derive(Debug)]
pub(super) struct Universe {
    /// The configuration.
    pub(super) config: Config,
    /// By epoch.
    pub(super) committees: Vec<Arc<Committees>>,
    /// Votes of honest auditors that a certificate needs; the faulty ones have cast theirs.
    pub(super) honest_quorum: usize,
    blocks: Vec<Known>,
    by_hash: HashMap<Digest, u16>,
    by_name: HashMap<String, u16>,
    /// Blocks that the adversary proposes in a view, of any epoch.
    offers: Vec<Vec<u16>>,
    votes: Vec<Vote>,
    vote_ids: FoldMap<Vote, u8>,
    certificates: Vec<Arc<Certificate>>,
    entries: Vec<JournalEntry>,
    entry_ids: HashMap<JournalEntry, u8>,
}

fn id(institution: u32) -> InstitutionId {
    InstitutionId::new(institution)
}

fn seat(institution: u32) -> Seat {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&institution.to_le_bytes());
    Seat { institution: id(institution), key: OwnerId::new(key) }
}

/// Who leads in an epoch; one producer, which the freeze replaces.
fn producer(epoch: u8) -> u32 {
    1 + u32::from(epoch)
}

/// Institution of an auditor's seat; the freeze replaces the one on the second.
fn auditor(epoch: u8, at: u8) -> u32 {
    if epoch > 0 && at == 1 { 99 } else { 11 + u32::from(at) }
}

/// A stranger among the producers.
const STRANGER: u32 = 77;

impl Universe {
    /// Everything that can be said in a configuration; `votes_needed` of its voters make a certificate.
    ///
    /// # Errors
    /// When there is more than can be numbered.
    pub(super) fn new(config: &Config, votes_needed: usize) -> Result<Self, Full> {
        let committees = (0..config.epochs)
            .map(|epoch| {
                Arc::new(Committees {
                    epoch: Epoch::new(u32::from(epoch)),
                    producers: vec![seat(producer(epoch))],
                    auditors: (0..config.voters).map(|at| seat(auditor(epoch, at))).collect(),
                    offset: 0,
                })
            })
            .collect();
        let mut universe = Self {
            config: config.clone(),
            committees,
            honest_quorum: votes_needed.saturating_sub(usize::from(config.byzantine)),
            blocks: Vec::new(),
            by_hash: HashMap::new(),
            by_name: HashMap::new(),
            offers: Vec::new(),
            votes: Vec::new(),
            vote_ids: FoldMap::default(),
            certificates: Vec::new(),
            entries: Vec::new(),
            entry_ids: HashMap::new(),
        };
        universe.offer_all()?;
        Ok(universe)
    }

    /// Every block on every parent, as far as the views of the configuration go.
    fn offer_all(&mut self) -> Result<(), Full> {
        for epoch in 0..self.config.epochs {
            for view in 1..=self.config.views_of(epoch) {
                for parent in self.parents(epoch, view) {
                    for value in 0..self.config.values {
                        self.offer(epoch, view, parent, value, Flaw::None)?;
                    }
                    if self.parent_view(epoch, parent) == 0 {
                        self.offer(epoch, view, parent, 0, Flaw::Invalid)?;
                        self.offer(epoch, view, parent, 0, Flaw::Stranger)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn offer(
        &mut self,
        epoch: u8,
        view: u8,
        parent: Option<u16>,
        value: u8,
        flaw: Flaw,
    ) -> Result<(), Full> {
        let block = self.block(epoch, view, parent, value, flaw)?;
        let at = usize::from(view);
        if self.offers.len() <= at {
            self.offers.resize(at + 1, Vec::new());
        }
        self.offers[at].push(block);
        Ok(())
    }

    /// What a block of a view can name as its parent: sound blocks of earlier views, and whatever may
    /// have been the last block of the epoch before.
    fn parents(&self, epoch: u8, view: u8) -> Vec<Option<u16>> {
        let known = (0u16..).zip(&self.blocks);
        let fits = |block: &Known| {
            let is_start = block.epoch + 1 == epoch && block.kind == Kind::Last;
            let is_before = block.epoch == epoch && block.view < view;
            block.flaw == Flaw::None && (is_start || is_before)
        };
        let genesis = (epoch == 0).then_some(None);
        let blocks = known.filter(|(_, block)| fits(block)).map(|(at, _)| Some(at));
        genesis.into_iter().chain(blocks).collect()
    }

    fn parent_view(&self, epoch: u8, parent: Option<u16>) -> u8 {
        let known = parent.map(|parent| self.known(parent));
        known.filter(|known| known.epoch == epoch).map_or(0, |known| known.view)
    }

    /// A block; the same for the same arguments.
    ///
    /// # Errors
    /// When there are too many blocks.
    pub(super) fn block(
        &mut self,
        epoch: u8,
        view: u8,
        parent: Option<u16>,
        value: u8,
        flaw: Flaw,
    ) -> Result<u16, Full> {
        let above = parent.map(|parent| self.known(parent).clone());
        let parent_view = self.parent_view(epoch, parent);
        let name = name(above.as_ref(), epoch, view, value, flaw);
        if let Some(block) = self.by_name.get(&name) {
            return Ok(*block);
        }
        let is_past_mark = self.config.epochs > epoch + 1 && view >= self.config.last_from;
        let kind = match above.as_ref().filter(|above| above.epoch == epoch).map(|above| above.kind)
        {
            Some(Kind::Last | Kind::Closing) => Kind::Closing,
            _ if is_past_mark => Kind::Last,
            _ => Kind::Regular,
        };
        let height = above.as_ref().map_or(0, |above| above.sealed.header.height.get()) + 1;
        let by = if flaw == Flaw::Stranger { STRANGER } else { producer(epoch) };
        let payload = [value, u8::from(flaw == Flaw::Invalid)].repeat(16);
        let header = BlockHeader {
            chain_id: CHAIN,
            epoch: Epoch::new(u32::from(epoch)),
            view: View::new(u64::from(view)),
            height: Height::new(height),
            parent: above.as_ref().map_or(GENESIS, |above| above.hash),
            parent_view: View::new(u64::from(parent_view)),
            timestamp: Timestamp::new(i64::try_from(height).unwrap_or(i64::MAX)),
            producer: id(by),
            payload: Digest::new(payload.try_into().unwrap_or([0; 32])),
        };
        let hash = header.id();
        let signature = Signature::new([0; 64]);
        let sealed = Arc::new(SealedHeader::new(SignedHeader { header, signature }));
        let at = u16::try_from(self.blocks.len()).map_err(|_| "more than 65,536 blocks")?;
        self.by_hash.insert(hash, at);
        self.by_name.insert(name.clone(), at);
        self.blocks.push(Known {
            epoch,
            view,
            parent,
            parent_view,
            kind,
            flaw,
            sealed,
            hash,
            name,
        });
        Ok(at)
    }

    /// A block by its number.
    #[must_use]
    pub(super) fn known(&self, block: u16) -> &Known {
        &self.blocks[usize::from(block)]
    }

    /// The number of a block.
    #[must_use]
    pub(super) fn by_hash(&self, hash: &Digest) -> Option<u16> {
        self.by_hash.get(hash).copied()
    }

    /// The number of a block.
    #[must_use]
    pub(super) fn by_name(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied()
    }

    /// Blocks that the adversary proposes in a view.
    #[must_use]
    pub(super) fn offers(&self, view: u8) -> &[u16] {
        self.offers.get(usize::from(view)).map_or(&[], Vec::as_slice)
    }

    /// Blocks from one up to the start of its epoch, and then of the epoch before, itself first.
    pub(super) fn chain(&self, block: u16) -> impl Iterator<Item = u16> + '_ {
        std::iter::successors(Some(block), |at| self.known(*at).parent)
    }

    /// The last block of an epoch that is final with this one.
    #[must_use]
    pub(super) fn last_below(&self, block: u16) -> Option<u16> {
        let epoch = self.known(block).epoch;
        self.chain(block)
            .take_while(|at| self.known(*at).epoch == epoch)
            .find(|at| self.known(*at).kind == Kind::Last)
    }

    /// The number of a vote, which is that of its certificate too.
    ///
    /// # Errors
    /// When there are too many votes.
    pub(super) fn vote(&mut self, vote: &Vote) -> Result<u8, Full> {
        if let Some(at) = self.vote_ids.get(vote) {
            return Ok(*at);
        }
        let at = u8::try_from(self.votes.len()).map_err(|_| "more than 256 votes")?;
        let seats = usize::from(self.config.voters);
        let signed: Vec<_> =
            (0..quorum(seats)).map(|seat| (seat, Signature::new([0; 64]))).collect();
        let certificate = Certificate::assemble(*vote, seats, &signed).ok_or("no certificate")?;
        self.votes.push(*vote);
        self.certificates.push(Arc::new(certificate));
        self.vote_ids.insert(*vote, at);
        Ok(at)
    }

    /// A vote by its number.
    #[must_use]
    pub(super) fn vote_at(&self, vote: u8) -> &Vote {
        &self.votes[usize::from(vote)]
    }

    /// The number of a vote that was cast before.
    #[must_use]
    pub(super) fn vote_known(&self, vote: &Vote) -> Option<u8> {
        self.vote_ids.get(vote).copied()
    }

    /// How many votes have a number.
    #[must_use]
    pub(super) fn votes(&self) -> usize {
        self.votes.len()
    }

    /// The certificate of a vote: the first seats signed, so that equal knowledge is equal state.
    #[must_use]
    pub(super) fn certificate(&self, vote: u8) -> &Arc<Certificate> {
        &self.certificates[usize::from(vote)]
    }

    /// The number of a journal entry.
    ///
    /// # Errors
    /// When there are too many entries.
    pub(super) fn entry(&mut self, entry: &JournalEntry) -> Result<u8, Full> {
        if let Some(at) = self.entry_ids.get(entry) {
            return Ok(*at);
        }
        let at = u8::try_from(self.entries.len()).map_err(|_| "more than 256 journal entries")?;
        self.entries.push(entry.clone());
        self.entry_ids.insert(entry.clone(), at);
        Ok(at)
    }

    /// The number of a journal entry that was stored before.
    #[must_use]
    pub(super) fn entry_known(&self, entry: &JournalEntry) -> Option<u8> {
        self.entry_ids.get(entry).copied()
    }

    /// A journal entry by its number.
    #[must_use]
    pub(super) fn entry_at(&self, entry: u8) -> &JournalEntry {
        &self.entries[usize::from(entry)]
    }

    /// The parent of the first block of the first epoch.
    #[must_use]
    pub(super) fn genesis(&self) -> Digest {
        GENESIS
    }

    /// The institution of an actor: all on the first seat where they are interchangeable; with two
    /// epochs the last but one leaves the committee and the last one joins it.
    #[must_use]
    pub(super) fn actor(&self, at: u8) -> InstitutionId {
        let actors = self.config.actors();
        if self.config.epochs == 2 && at + 2 == actors {
            return id(auditor(0, 1));
        }
        if self.config.epochs == 2 && at + 1 == actors {
            return id(auditor(1, 1));
        }
        let seat = match at {
            _ if self.config.reduction.symmetry => 0,
            // The second seat is that of those who leave and join.
            0 => 0,
            _ if self.config.epochs == 2 => at + 1,
            _ => at,
        };
        id(auditor(0, seat))
    }

    /// The producer of an epoch.
    #[must_use]
    pub(super) fn leader(&self, epoch: u8) -> InstitutionId {
        id(producer(epoch))
    }

    /// A vote in words.
    #[must_use]
    pub(super) fn say(&self, vote: &Vote) -> String {
        let name = |hash: &Digest| {
            self.by_hash(hash)
                .map_or_else(|| "an unknown block".to_owned(), |at| self.known(at).name.clone())
        };
        let place = if self.config.epochs == 2 {
            format!("{}/{}", vote.epoch, vote.view)
        } else {
            vote.view.to_string()
        };
        match &vote.subject {
            Subject::Notarize(hash) => format!("notarize {}", name(hash)),
            Subject::Finalize(hash) => format!("finalize {}", name(hash)),
            Subject::Nullify => format!("nullify {place}"),
            Subject::Anchor(_) => "anchor".to_owned(),
        }
    }
}

fn name(above: Option<&Known>, epoch: u8, view: u8, value: u8, flaw: Flaw) -> String {
    let flaw = match flaw {
        Flaw::None => "",
        Flaw::Invalid => "!",
        Flaw::Stranger => "?",
    };
    let value = char::from(b'a' + value);
    match above {
        None => format!("{view}{value}{flaw}"),
        Some(above) if above.epoch == epoch => format!("{}.{view}{value}{flaw}", above.name),
        Some(above) => format!("{}|{view}{value}{flaw}", above.name),
    }
}
