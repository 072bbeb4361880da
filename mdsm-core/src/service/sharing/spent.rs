//! Offers that an owner has spent, in a file: an owner that is started again accepts none of them twice.
//! [PRE-3]
//!
//! The file is written anew as a whole, synced, and put in the place of the one before, so that it is the one
//! or the other whenever the process ends.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::codec::{DecodeError, Wire as _};
use crate::reencryption::SpentOffers;

/// The list and its file.
#[derive(Debug)]
pub struct SpentBook {
    file: PathBuf,
    offers: SpentOffers,
}

/// A list that cannot be read or written.
#[derive(Debug, Error)]
pub enum SpentError {
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no list.
    #[error("{}: {error}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: DecodeError,
    },
}

impl SpentBook {
    /// Reads the list, which is empty where there is no file.
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, SpentError> {
        let file = file.into();
        let offers = match fs::read(&file) {
            Ok(bytes) => SpentOffers::from_bytes(&bytes)
                .map_err(|error| SpentError::Malformed { file: file.clone(), error })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SpentOffers::default(),
            Err(source) => return Err(SpentError::File { file, source }),
        };
        Ok(Self { file, offers })
    }

    /// The list, for an acceptance; [`Self::store`] before its key leaves.
    pub fn offers(&mut self) -> &mut SpentOffers {
        &mut self.offers
    }

    /// Stores the list, durably.
    pub fn store(&self) -> Result<(), SpentError> {
        let failed = |source| SpentError::File { file: self.file.clone(), source };
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let written = self.file.with_extension("new");
        let mut file = File::create(&written).map_err(failed)?;
        file.write_all(&self.offers.to_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&written, &self.file).map_err(failed)?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reencryption::{Offer, RekeyError, Set, Variant, generate};
    use crate::types::Digest;

    #[test]
    fn pre_3_4_an_offer_stays_spent_when_its_owner_is_started_again() {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //= type=test
        //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
        //# one re-encryption key only.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spent");
        let ((owner, public), (reader, _)) =
            (generate(Set::Toy16, &[1; 32]), generate(Set::Toy16, &[2; 32]));
        let grant = Digest::new([5; 32]);
        let offer = || Offer::new(&reader, public.digest(), Variant::Public, &[3; 32]);
        let mut book = SpentBook::open(&file).unwrap();
        offer().accept(&owner, grant, book.offers()).unwrap();
        // Not stored: the key has not left either.
        let mut book = SpentBook::open(&file).unwrap();
        offer().accept(&owner, grant, book.offers()).unwrap();
        book.store().unwrap();
        let mut book = SpentBook::open(&file).unwrap();
        let again = offer().accept(&owner, grant, book.offers()).unwrap_err();
        assert!(matches!(again, RekeyError::Spent { .. }), "{again}");
        fs::write(&file, b"MSPO\x01\x01").unwrap();
        assert!(matches!(SpentBook::open(&file), Err(SpentError::Malformed { .. })));
        assert!(matches!(SpentBook::open(folder.path()), Err(SpentError::File { .. })));
    }
}
