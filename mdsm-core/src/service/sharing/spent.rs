//! Offers that an owner has spent, in a file: an owner that is started again accepts none of them twice.
//! [PRE-3]
//!
//! The file is written anew as a whole, synced, and put in the place of the one before, so that it is the one
//! or the other whenever the process ends. What runs at once with one key takes turns by the lock of a second file,
//! whose name ends in `.lock`: a lock on the list itself would be on the one that was replaced.
//!
//! Invariant: what is accepted is read, added and stored under one lock, so that no list forgets what another one has.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::codec::{DecodeError, Wire as _};
use crate::environment::replace;
use crate::reencryption::SpentOffers;

/// The file of a list.
#[derive(Debug)]
pub struct SpentBook {
    file: PathBuf,
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
    /// A list in a file; it is empty where there is no file.
    ///
    /// # Errors
    /// When there is a file that cannot be read, or is no list.
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, SpentError> {
        let book = Self { file: file.into() };
        book.read()?;
        Ok(book)
    }

    /// Accepts an offer and stores the list durably, before anything leaves that follows from it. Waits for whoever
    /// does the same with this file.
    ///
    /// # Errors
    /// Those of the acceptance, which then leaves the file as it is, and of the file.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
    //# one re-encryption key only.
    pub fn spend<T, E: From<SpentError>>(
        &self,
        accept: impl FnOnce(&mut SpentOffers) -> Result<T, E>,
    ) -> Result<T, E> {
        // Held until the end, and given back by the system when the process ends before.
        let _lock = self.lock()?;
        let mut offers = self.read()?;
        let accepted = accept(&mut offers)?;
        self.store(&offers)?;
        Ok(accepted)
    }

    fn lock(&self) -> Result<File, SpentError> {
        let mut name = self.file.clone().into_os_string();
        name.push(".lock");
        let path = PathBuf::from(name);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let locked = options.open(&path).and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| SpentError::File { file: path, source })
    }

    fn read(&self) -> Result<SpentOffers, SpentError> {
        let file = &self.file;
        match fs::read(file) {
            Ok(bytes) => SpentOffers::from_bytes(&bytes)
                .map_err(|error| SpentError::Malformed { file: file.clone(), error }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SpentOffers::default()),
            Err(source) => Err(SpentError::File { file: file.clone(), source }),
        }
    }

    fn store(&self, offers: &SpentOffers) -> Result<(), SpentError> {
        let written = replace(&self.file, &offers.to_bytes());
        written.map_err(|source| SpentError::File { file: self.file.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reencryption::{Offer, RekeyError, Set, Variant, generate};
    use crate::types::Digest;

    /// Why an offer is not spent.
    #[derive(Debug, Error)]
    enum Failed {
        #[error(transparent)]
        Book(#[from] SpentError),
        #[error(transparent)]
        Rekey(#[from] RekeyError),
    }

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
        let spend = || {
            let book = SpentBook::open(&file).unwrap();
            book.spend(|spent| offer().accept(&owner, grant, spent).map_err(Failed::from))
        };
        spend().unwrap();
        let again = spend().unwrap_err();
        assert!(matches!(again, Failed::Rekey(RekeyError::Spent { .. })), "{again:?}");
        fs::write(&file, b"MSPO\x01\x01").unwrap();
        assert!(matches!(SpentBook::open(&file), Err(SpentError::Malformed { .. })));
        assert!(matches!(SpentBook::open(folder.path()), Err(SpentError::File { .. })));
    }

    fn spend(book: &SpentBook, coins: u8) -> Result<(), Failed> {
        let ((owner, public), (reader, _)) =
            (generate(Set::Toy16, &[1; 32]), generate(Set::Toy16, &[2; 32]));
        let offer = Offer::new(&reader, public.digest(), Variant::Public, &[coins; 32]);
        book.spend(|spent| Ok(offer.accept(&owner, Digest::new([5; 32]), spent).map(|_| ())?))
    }

    #[test]
    fn pre_3_4_two_that_run_at_once_with_one_key_know_of_each_other() {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //= type=test
        //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
        //# one re-encryption key only.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spent");
        let [one, other] = [(); 2].map(|()| SpentBook::open(&file).unwrap());
        spend(&one, 3).unwrap();
        spend(&other, 4).unwrap();
        let again = spend(&other, 3);
        assert!(matches!(again, Err(Failed::Rekey(RekeyError::Spent { .. }))), "{again:?}");
        let later = SpentBook::open(&file).unwrap();
        for coins in [3, 4] {
            let again = spend(&later, coins);
            assert!(
                matches!(again, Err(Failed::Rekey(RekeyError::Spent { .. }))),
                "{coins}: {again:?}"
            );
        }
    }

    #[test]
    fn files_beside_the_list_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, secret) = (folder.path().join("me.spent"), folder.path().join("me.new"));
        fs::write(&secret, "secret").unwrap();
        spend(&SpentBook::open(&file).unwrap(), 3).unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn pre_3_4_no_entry_is_lost_when_many_accept_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spent");
        std::thread::scope(|scope| {
            for coins in 1..=8 {
                let book = SpentBook::open(&file).unwrap();
                scope.spawn(move || spend(&book, coins).unwrap());
            }
        });
        let later = SpentBook::open(&file).unwrap();
        for coins in 1..=8 {
            let again = spend(&later, coins);
            assert!(matches!(again, Err(Failed::Rekey(RekeyError::Spent { .. }))), "{again:?}");
        }
    }
}
