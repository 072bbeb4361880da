//! An institution joins: what the state of the chain says to it. [COM-3]

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::amounts::RATING_MAX;
use super::institutions::Institution;
use super::rating::Founder;
use crate::crypto::sign::{KeyError, check_key};
use crate::types::{InstitutionId, OwnerId};

/// A registration whose signatures were checked.
pub type RegistrationFact = Founder;

/// Why an institution cannot join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RegistrationRefused {
    /// Another institution has or had the id.
    #[error("institution: id {institution} is taken")]
    Id {
        /// The id.
        institution: InstitutionId,
    },
    /// The key belongs to an institution.
    #[error("key: {key} is the key of {holder}")]
    KeyTaken {
        /// The key.
        key: OwnerId,
        /// Whose it is.
        holder: InstitutionId,
    },
    /// The key is barred for proven fraud.
    #[error("key: {key} is barred for fraud")]
    KeyBarred {
        /// The key.
        key: OwnerId,
    },
    /// The key cannot sign for an institution.
    #[error("key: {key}: {reason}")]
    Key {
        /// The key.
        key: OwnerId,
        /// Why not.
        reason: KeyError,
    },
    /// More points than there are.
    #[error("rating: {rating} where {RATING_MAX} is the most")]
    Rating {
        /// Points claimed.
        rating: u8,
    },
}

/// Checks that all of them can join, one after another. Cost: one walk over the institutions and
/// one point of the curve for each.
pub(super) fn check<'a>(
    institutions: &[Institution],
    joining: impl IntoIterator<Item = &'a RegistrationFact>,
) -> Result<(), (usize, RegistrationRefused)> {
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeMap::new());
    for (index, fact) in joining.into_iter().enumerate() {
        let refuse = |why| Err((index, why));
        let Founder { institution, key, rating, .. } = *fact;
        //= harness/spec/committees.md#com-3-registration
        //# COM-3.2 (paper): A registered institution MUST get an id that no other institution has
        //# or had.
        let taken = institutions.binary_search_by_key(&institution, |one| one.id).is_ok();
        if taken || !ids.insert(institution) {
            return refuse(RegistrationRefused::Id { institution });
        }
        //= harness/spec/committees.md#com-3-registration
        //# COM-3.5 (ours): A registration with a key that is already registered, barred or of small
        //# order MUST be refused.
        if let Some(holder) = institutions.iter().find(|one| one.key == key) {
            return refuse(if holder.is_barred {
                RegistrationRefused::KeyBarred { key }
            } else {
                RegistrationRefused::KeyTaken { key, holder: holder.id }
            });
        }
        if let Some(holder) = keys.insert(key, institution) {
            return refuse(RegistrationRefused::KeyTaken { key, holder });
        }
        if let Err(reason) = check_key(&key) {
            return refuse(RegistrationRefused::Key { key, reason });
        }
        if rating > RATING_MAX {
            return refuse(RegistrationRefused::Rating { rating });
        }
    }
    Ok(())
}
