//! Votes that the node has seen, with their signatures: what evidence is made of. [CON-7]

use std::collections::BTreeMap;

use super::machine::Consensus;
use super::rules::Rules;
use crate::ledger::{SignedVote, Vote};
use crate::types::{InstitutionId, Signature};

impl<R: Rules> Consensus<R> {
    /// Whoever cast this vote, as far as it was counted or stands in a certificate, each once.
    #[must_use]
    pub fn votes_for(&self, vote: &Vote) -> Vec<SignedVote> {
        let Some(slot) = self.slots.get(&vote.view).filter(|_| vote.epoch == self.epoch()) else {
            return Vec::new();
        };
        let electorate: Vec<InstitutionId> =
            self.committees.auditors.iter().map(|seat| seat.institution).collect();
        let counted = slot.tally.signatures(&self.rules, &vote.subject);
        let counted = counted.into_iter().filter_map(|(seat, signature)| {
            let signer = *electorate.get(seat)?;
            Some((signer, signature))
        });
        let mut by_signer: BTreeMap<InstitutionId, Signature> = counted.collect();
        if let Some(held) = slot.certificate(&vote.subject).filter(|held| held.vote == *vote) {
            let signed = held.signers_of(&electorate);
            by_signer.extend(signed.map(|(signer, signature)| (signer, *signature)));
        }
        let signed = by_signer.into_iter();
        signed.map(|(signer, signature)| SignedVote { vote: *vote, signer, signature }).collect()
    }
}
