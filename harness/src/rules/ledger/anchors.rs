//! What was signed behind each freeze. [ANC-1] [CON-7]

use super::super::agreement::{Subject, Vote};
use super::super::mirror::Bytes32;
use super::super::wire::{Mirror, WireKind, decode};
use super::certificate;
use super::log::Signatures;
use super::told::{Epoch, Violation};

/// Holds the certificates to the epochs, one after another from the first; each marks its own.
pub(super) fn check(
    certificates: &[Vec<u8>],
    epochs: &mut [Epoch],
    chain_id: &Bytes32,
    signatures: &dyn Signatures,
) -> Result<(), Violation> {
    let mut height = 0;
    for (at, bytes) in certificates.iter().enumerate() {
        let broken = |what: String| Violation { height, what: format!("anchor {at}: {what}") };
        let Some(epoch) = epochs.get_mut(at) else {
            return Err(broken(
                "there is an anchor certificate of an epoch that has not ended".to_owned(),
            ));
        };
        let broken =
            |what: String| Violation { height: epoch.last, what: format!("anchor {at}: {what}") };
        let certificate = match decode(WireKind::Certificate, bytes) {
            Ok(Mirror::Certificate(certificate)) => certificate,
            Ok(_) => return Err(broken("another kind".to_owned())),
            Err(why) => return Err(broken(format!("no certificate: {why}"))),
        };
        let vote = Vote { epoch: epoch.seats.epoch, view: 0, subject: Subject::Anchor(epoch.root) };
        certificate::check(&certificate, &vote, &epoch.electorate, chain_id, signatures)
            .map_err(broken)?;
        epoch.is_certified = true;
        height = epoch.last;
    }
    Ok(())
}
