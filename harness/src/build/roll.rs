//! Institutions with keys from their ids, and the auditors among them: who signs votes, headers and
//! certificates, and what evidence is held against.

use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    BlockHeader, Certificate, Registry, SignedHeader, SignedVote, Subject, Vote, quorum,
};
use mdsm_core::types::{ChainId, Epoch, InstitutionId, OwnerId, Signature, View};

/// A roll of institutions: producers from id 1 on, then auditors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The network.
    pub chain: ChainId,
    /// How many produce.
    pub producers: u32,
    /// How many audit, in every epoch.
    pub auditors: u32,
    /// The last epoch whose auditors are known.
    pub last: Epoch,
}

/// The key of an institution.
#[must_use]
pub fn institution_key(id: InstitutionId) -> SigningKey {
    let seed = [b"institution ", &id.get().to_le_bytes()[..]].concat();
    SigningKey::from_seed(sha256(&seed).as_bytes())
}

impl Roll {
    /// A roll of so many auditors behind the four producers of the small network.
    #[must_use]
    pub fn new(chain: ChainId, auditors: u32) -> Self {
        Self { chain, producers: 4, auditors, last: Epoch::new(u32::MAX) }
    }

    /// Auditors in the order of their seats.
    #[must_use]
    pub fn electorate(&self) -> Vec<InstitutionId> {
        (1..=self.auditors).map(|seat| InstitutionId::new(self.producers + seat)).collect()
    }

    /// Seats of the auditors.
    ///
    /// # Panics
    /// Where 32 bits do not fit.
    #[must_use]
    pub fn seats(&self) -> usize {
        usize::try_from(self.auditors).expect("32 bits fit")
    }

    /// A header signed by its producer.
    #[must_use]
    pub fn signed(&self, header: BlockHeader) -> SignedHeader {
        SignedHeader::sign(header, &institution_key(header.producer))
    }

    /// A vote signed by an institution.
    #[must_use]
    pub fn vote(&self, signer: InstitutionId, vote: Vote) -> SignedVote {
        vote.sign(&self.chain, signer, &institution_key(signer))
    }

    /// A vote of an institution to notarize a block.
    #[must_use]
    pub fn notarize(&self, signer: InstitutionId, header: &BlockHeader) -> SignedVote {
        let subject = Subject::Notarize(self.signed(*header).hash());
        self.vote(signer, Vote { epoch: header.epoch, view: header.view, subject })
    }

    /// A vote with the signatures of these seats, given in ascending order.
    ///
    /// # Panics
    /// When they are not, or one does not exist.
    #[must_use]
    pub fn certificate(&self, vote: Vote, seats: impl IntoIterator<Item = usize>) -> Certificate {
        let (message, electorate) = (vote.message(&self.chain), self.electorate());
        let sign = |seat: usize| (seat, institution_key(electorate[seat]).sign(&message));
        let signed: Vec<(usize, Signature)> = seats.into_iter().map(sign).collect();
        Certificate::assemble(vote, self.seats(), &signed).expect("seats in order")
    }

    /// The certificate with which a quorum notarizes a block.
    #[must_use]
    pub fn notarization(&self, header: &BlockHeader) -> Certificate {
        let (epoch, view) = (header.epoch, header.view);
        let subject = Subject::Notarize(self.signed(*header).hash());
        self.certificate(Vote { epoch, view, subject }, 0..quorum(self.seats()))
    }

    /// A vote in a view of the first epoch.
    #[must_use]
    pub fn subject_in(view: u64, subject: Subject) -> Vote {
        Vote { epoch: Epoch::new(0), view: View::new(view), subject }
    }
}

impl Registry for Roll {
    fn chain_id(&self) -> ChainId {
        self.chain
    }

    fn key_of(&self, institution: InstitutionId) -> Option<OwnerId> {
        let is_registered = (1..=self.producers + self.auditors).contains(&institution.get());
        is_registered.then(|| institution_key(institution).owner())
    }

    fn auditors_of(&self, epoch: Epoch) -> Option<Vec<OwnerId>> {
        let keys = || self.electorate().into_iter().map(|id| institution_key(id).owner());
        (epoch <= self.last).then(|| keys().collect())
    }
}
