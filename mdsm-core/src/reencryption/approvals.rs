//! Approvals: which capsules of a grant its owner has checked, as they lie in the vault. [PRE-3] [PRE-5]

use std::collections::BTreeMap;

use super::approve::Approval;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire};
use crate::params::GRANT_FILES_MAX;
use crate::types::Digest;

/// What an owner signed of the capsules of a grant, by their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals(BTreeMap<Digest, Approval>);

impl Approvals {
    /// The approvals of a grant.
    #[must_use]
    pub fn new(approvals: impl IntoIterator<Item = Approval>) -> Self {
        Self(approvals.into_iter().map(|approval| (approval.capsule, approval)).collect())
    }

    /// That of a capsule.
    #[must_use]
    pub fn of(&self, capsule: &Digest) -> Option<&Approval> {
        self.0.get(capsule)
    }
}

impl Encode for Approvals {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len()).expect("one for each file of a grant").encode(out);
        self.0.values().for_each(|approval| approval.encode(out));
    }
}

impl Decode for Approvals {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        /// Three digests and a signature.
        const APPROVAL_BYTES: usize = 3 * 32 + 64;
        let count = reader.count(1, GRANT_FILES_MAX, APPROVAL_BYTES)?;
        let mut approvals = BTreeMap::new();
        for index in 0..count {
            let start = reader.offset();
            let approval: Approval = reader.element(index)?;
            if approvals.last_key_value().is_some_and(|(last, _)| *last >= approval.capsule) {
                let error = DecodeError::new(start, DecodeErrorKind::Order);
                return Err(error.inside_element(index));
            }
            approvals.insert(approval.capsule, approval);
        }
        Ok(Self(approvals))
    }
}

impl Wire for Approvals {
    const TAG: [u8; 4] = *b"MAPS";
    const NAME: &'static str = "Approvals";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::reencryption::{Message, Set, approve, encapsulate, generate};
    use crate::types::KeyId;

    #[test]
    fn approvals_are_read_in_order_only() {
        let signing = SigningKey::from_seed(&[1; 32]);
        let (secret, public) = generate(Set::Toy16, &[2; 32]);
        let one = |byte: u8| {
            let (capsule, _) =
                encapsulate(&public, KeyId::new([byte; 32]), &Message::new([byte; 32]));
            approve((&secret, &public), &capsule, &signing).unwrap().0
        };
        let approvals = Approvals::new([one(1), one(2)]);
        let bytes = approvals.to_bytes();
        assert_eq!(Approvals::from_bytes(&bytes), Ok(approvals.clone()));
        assert_eq!(approvals.of(&one(1).capsule), Some(&one(1)));
        assert_eq!(approvals.of(&Digest::new([0; 32])), None);
        let (head, rest) = bytes.split_at(9);
        let (first, second) = rest.split_at(rest.len() / 2);
        assert!(Approvals::from_bytes(&[head, second, first].concat()).is_err());
        assert!(Approvals::from_bytes(&[head, first, first].concat()).is_err());
        assert!(Approvals::from_bytes(b"MAPS\x01\0\0\0\0").is_err());
    }
}
