//! Who signed, and whether that is enough. [CON-7]

use std::collections::BTreeSet;

use super::super::agreement::{Certificate, Vote, vote_message};
use super::super::bounds::hold;
use super::super::mirror::Bytes32;
use super::log::Signatures;

/// Members of an electorate that may be faulty: the largest number of which three times is less
/// than all.
#[must_use]
pub fn faulty(seats: usize) -> usize {
    (0..seats).take_while(|faulty| 3 * faulty < seats).last().unwrap_or(0)
}

/// Signers that a certificate needs.
#[must_use]
pub fn quorum(seats: usize) -> usize {
    seats - faulty(seats)
}

/// The seats whose bits are set, counted bit by bit; an error where the map is not that of the
/// electorate.
pub fn signers(map: &[u8], seats: usize) -> Result<Vec<usize>, String> {
    let whole = seats / 8 + usize::from(!seats.is_multiple_of(8));
    hold(map.len() == whole, "the bitmap has another length than the electorate needs")?;
    let mut set = Vec::new();
    for seat in 0..8 * map.len() {
        if map[seat / 8] & (1 << (seat % 8)) != 0 {
            hold(seat < seats, "the bitmap names a seat that does not exist")?;
            set.push(seat);
        }
    }
    Ok(set)
}

/// Who of the electorate signed, if the certificate is one of this vote.
pub(super) fn check(
    certificate: &Certificate,
    expected: &Vote,
    electorate: &[(u32, Bytes32)],
    chain_id: &Bytes32,
    signatures: &dyn Signatures,
) -> Result<Vec<u32>, String> {
    let named = &certificate.vote;
    hold(named.epoch == expected.epoch, "the certificate is of another epoch")?;
    hold(named.view == expected.view, "the certificate is of another view")?;
    hold(named.subject == expected.subject, "the certificate is for something else")?;
    holds(certificate, electorate, chain_id, signatures)
}

/// Who of the electorate signed, if the certificate certifies anything.
pub(super) fn holds(
    certificate: &Certificate,
    electorate: &[(u32, Bytes32)],
    chain_id: &Bytes32,
    signatures: &dyn Signatures,
) -> Result<Vec<u32>, String> {
    let seats = signers(&certificate.signers, electorate.len())?;
    let given = &certificate.signatures;
    hold(given.len() == seats.len(), "the certificate has not one signature for each signer")?;
    let (found, needed) = (seats.len(), quorum(electorate.len()));
    hold(found >= needed, &format!("the certificate has {found} signers of {needed} needed"))?;
    let message = vote_message(chain_id, &certificate.vote);
    let mut ids = BTreeSet::new();
    let mut signed = Vec::new();
    for (seat, signature) in seats.iter().zip(given) {
        let (id, key) = &electorate[*seat];
        let is_by = signatures.holds(key, &message, signature);
        hold(is_by, &format!("the certificate's signature of {id} does not hold"))?;
        hold(ids.insert(*id), &format!("the certificate counts {id} twice"))?;
        signed.push(*id);
    }
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorums_are_those_of_the_spec() {
        let found = [1, 3, 4, 5, 7, 20, 121].map(|seats| (faulty(seats), quorum(seats)));
        assert_eq!(found, [(0, 1), (0, 3), (1, 3), (1, 4), (2, 5), (6, 14), (40, 81)]);
    }

    #[test]
    fn bitmaps_are_read_bit_by_bit() {
        assert_eq!(signers(&[0b101, 0b1], 9), Ok(vec![0, 2, 8]));
        assert!(signers(&[0b101, 0b10], 9).is_err() && signers(&[0b101], 9).is_err());
    }
}
