//! The secret of an institution or a person: a file with one seed, from which every key is made.
//!
//! ```text
//! file   one line: 64 hexadecimal digits                          readable by its owner only
//! key    HMAC-SHA-256( seed, "MKEY" 1 | what the key is for )     32 bytes
//! ```
//! One file is one thing to guard and to back up. Keys for different ends are independent: from one of
//! them nobody computes another, or the seed.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::entropy::{EntropyError, draw};
use crate::codec::prefix;
use crate::crypto::sign::SigningKey;

const SEED_BYTES: usize = 32;
/// A seed in hexadecimal digits and a line end.
const FILE_BYTES_MAX: usize = 2 * SEED_BYTES + 2;

/// A seed. Wiped on drop, never printed.
pub struct Secret([u8; SEED_BYTES]);

/// A file that gives no secret.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a seed.
    #[error("{}: is not one line of {} hexadecimal digits", file.display(), 2 * SEED_BYTES)]
    Shape {
        /// The file.
        file: PathBuf,
    },
    /// Others can read it.
    #[error("{}: others may read it (mode {mode:o}, allowed is 600)", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Secret {
    /// The secret of a seed; for tests and demonstrations, whose secrets guard nothing.
    #[must_use]
    pub fn from_seed(seed: [u8; SEED_BYTES]) -> Self {
        Self(seed)
    }

    /// Draws a secret and stores it, durably, in a file that is not there yet.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let secret = Self(draw()?);
        secret.store(path.as_ref())?;
        Ok(secret)
    }

    /// Stores the secret, durably, in a file that is not there yet.
    pub fn store(&self, path: &Path) -> Result<(), SecretError> {
        let failed = |source| SecretError::File { file: path.to_path_buf(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        let digits = Zeroizing::new(hex(&self.0) + "\n");
        file.write_all(digits.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).map_err(failed)
    }

    /// Reads a secret from a file that nobody else can read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let failed = |source| SecretError::File { file: path.to_path_buf(), source };
        let file = File::open(path).map_err(failed)?;
        check_mode(path, &file.metadata().map_err(failed)?)?;
        let mut text = Zeroizing::new(String::new());
        let bytes_max = u64::try_from(FILE_BYTES_MAX + 1).unwrap_or(u64::MAX);
        file.take(bytes_max).read_to_string(&mut text).map_err(failed)?;
        let seed = seed_of(text.trim_end());
        seed.map(Self).ok_or_else(|| SecretError::Shape { file: path.to_path_buf() })
    }

    /// The 32 bytes for one end, named by a few words that no other end has.
    #[must_use]
    pub fn derive(&self, end: &str) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        mac.update(&prefix(*b"MKEY"));
        mac.update(end.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// The key that signs records, blocks and votes.
    #[must_use]
    pub fn signing(&self) -> SigningKey {
        SigningKey::from_seed(&self.derive("signing"))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(of {})", self.signing().owner())
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), SecretError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(SecretError::Open { file: path.to_path_buf(), mode })
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), SecretError> {
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seed_of(digits: &str) -> Option<[u8; SEED_BYTES]> {
    let is_plain = digits.len() == 2 * SEED_BYTES && digits.bytes().all(|d| d.is_ascii_hexdigit());
    let mut seed = [0; SEED_BYTES];
    for (at, byte) in seed.iter_mut().enumerate().filter(|_| is_plain) {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    is_plain.then_some(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_made_and_never_made_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made = Secret::create(&path).unwrap();
        let read = Secret::read(&path).unwrap();
        assert_eq!(made.signing().owner(), read.signing().owner());
        assert_ne!(*made.derive("link"), *made.derive("signing"));
        assert!(matches!(Secret::create(&path), Err(SecretError::File { .. })));
        let other = Secret::create(folder.path().join("other")).unwrap();
        assert_ne!(other.signing().owner(), made.signing().owner());
        assert!(!format!("{made:?}").contains(&hex(&made.0)), "a secret is not printed");
    }

    #[test]
    fn a_file_that_is_no_secret_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        Secret::create(&path).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let long = format!("{}00\n", whole.trim_end());
        for text in ["", "zz", &whole[1..], &long, &whole.replace(&whole[..1], "g")] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Secret::read(&path), Err(SecretError::Shape { .. })), "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        Secret::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Secret::read(&path);
        assert!(matches!(refused, Err(SecretError::Open { mode: 0o640, .. })), "{refused:?}");
    }
}
