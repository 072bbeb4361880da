//! Re-encryption: [ Digits(c1), h1 ] Q + (h2, h3 + c2) as one integer product. [PRE-2] [PRE-5]
//!
//! Q = [[ X, U + Power(S_A) ], [ A, P_B ]] or, where the key is private, further rows of X and U in the
//! place of the second line. The four blocks are packed apart: A serves every key, P_B every key of a
//! reader, and X may stay a seed.
//!
//! Cost for set S704, in multiply-adds: digits 2,112 x 960, refreshing 704 x 960. A batch reads the
//! key once for each [`ROWS_AT_ONCE`] capsules.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::approve::Admitted;
use super::capsule::Capsule;
use super::digits::write_digits;
use super::error::ReencryptError;
use super::expand::Coins;
use super::kernel::{Backend, Packed};
use super::keys::PublicKey;
use super::rekey::ReKey;
use super::set::Variant;
use super::setup::Setup;
use super::wiped::Wiped;
use crate::codec::prefix;

/// Capsules that go through the key together: their digits stay in the second-level cache.
const ROWS_AT_ONCE: usize = 48;

/// The secret from which a proxy draws its coins. Wiped on drop, never printed.
pub struct ProxySecret(Zeroizing<[u8; 32]>);

impl ProxySecret {
    /// Wraps 32 uniformly random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The coins of one re-encryption: always the same for the same key and capsule.
    fn coins(&self, key: &ReKey, admitted: &Admitted) -> Zeroizing<[u8; 32]> {
        //= harness/spec/reencryption.md#pre-5-re-encryption
        //# PRE-5.4 (ours): The random values of a re-encryption MUST follow from the proxy's secret,
        //# the re-encryption key, the capsule and the hop.
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).expect("any length is a key");
        mac.update(&prefix(*b"MCOI"));
        mac.update(key.digest().as_bytes());
        mac.update(admitted.digest().as_bytes());
        mac.update(&[admitted.capsule().hop()]);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for ProxySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxySecret(..)")
    }
}

/// A re-encryption key with the reader's public key, and with X expanded unless it is cold.
#[derive(Debug)]
pub struct WarmKey<'a> {
    key: &'a ReKey,
    /// None where the key is private.
    reader: Option<&'a PublicKey>,
    /// None where the key is cold: X is then expanded anew in every call.
    uniform: Option<Packed>,
    backend: Backend,
}

impl<'a> WarmKey<'a> {
    /// Expands X, for a key that is used more than once. For S704 it takes 3 MB.
    ///
    /// # Errors
    /// When the key needs the reader's public key and another or none is given.
    pub fn new(key: &'a ReKey, reader: Option<&'a PublicKey>) -> Result<Self, ReencryptError> {
        let mut warm = Self::cold(key, reader)?;
        let parameters = key.set().parameters();
        let (modulus, dimension) = (parameters.modulus, parameters.dimension);
        let mut packed = Packed::zeros(modulus, key.matrix.rows(), dimension);
        key.uniform().for_each_row(key.matrix.rows(), |row, words| packed.set_row(row, words));
        warm.uniform = Some(packed);
        Ok(warm)
    }

    /// Leaves X a seed, for a key that is used once.
    ///
    /// # Errors
    /// When the key needs the reader's public key and another or none is given, or one of another set.
    pub fn cold(key: &'a ReKey, reader: Option<&'a PublicKey>) -> Result<Self, ReencryptError> {
        if let Some(reader) = reader.filter(|reader| reader.set() != key.set()) {
            return Err(ReencryptError::ReaderSet { key: key.set(), reader: reader.set() });
        }
        let reader = match (key.variant(), reader) {
            (Variant::KeyPrivate, _) => None,
            (Variant::Public, Some(reader)) if reader.digest() == key.reader() => Some(reader),
            (Variant::Public, _) => return Err(ReencryptError::ReaderKey { reader: key.reader() }),
        };
        Ok(Self { key, reader, uniform: None, backend: Backend::detect() })
    }

    /// Has the products computed by another backend than the best: for measurements, and to show that
    /// all give the same bits. A call panics where the CPU does not offer it.
    #[must_use]
    pub fn on(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// Re-encrypts one capsule.
    ///
    /// # Errors
    /// When the key is not for it, or it has made all its hops.
    pub fn reencrypt(
        &self,
        proxy: &ProxySecret,
        admitted: &Admitted,
    ) -> Result<Capsule, ReencryptError> {
        self.check(admitted.capsule())?;
        let coins = proxy.coins(self.key, admitted);
        Ok(transform(self, &[(admitted.capsule(), coins)]).remove(0))
    }

    /// Re-encrypts many capsules at once, each as [`WarmKey::reencrypt`] would.
    ///
    /// # Errors
    /// The first refusal; then none is re-encrypted.
    pub fn reencrypt_all(
        &self,
        proxy: &ProxySecret,
        admitted: &[Admitted],
    ) -> Result<Vec<Capsule>, ReencryptError> {
        admitted.iter().try_for_each(|admitted| self.check(admitted.capsule()))?;
        let mut capsules = Vec::with_capacity(admitted.len());
        for admitted in admitted.chunks(ROWS_AT_ONCE) {
            let with_coins = admitted
                .iter()
                .map(|admitted| (admitted.capsule(), proxy.coins(self.key, admitted)));
            capsules.extend(transform(self, &with_coins.collect::<Vec<_>>()));
        }
        Ok(capsules)
    }

    fn check(&self, capsule: &Capsule) -> Result<(), ReencryptError> {
        let (key, hops_max) = (self.key, capsule.set().parameters().hops_max());
        if key.set() != capsule.set() {
            return Err(ReencryptError::Set { key: key.set(), capsule: capsule.set() });
        }
        //= harness/spec/reencryption.md#pre-7-revocation
        //# PRE-7.4 (ours): Rotating the owner's key MUST make every re-encryption key made before it
        //# useless for capsules made after it.
        if key.owner() != capsule.holder {
            return Err(ReencryptError::AnotherPair { key: key.owner(), capsule: capsule.holder });
        }
        //= harness/spec/reencryption.md#pre-1-scheme
        //# PRE-1.5 (ours): A capsule MUST be refused for re-encryption when it has made as many hops
        //# as its parameter set allows.
        if usize::from(capsule.hop()) >= hops_max {
            return Err(ReencryptError::HopLimit { hop: capsule.hop(), hops_max });
        }
        Ok(())
    }
}

/// The arithmetic, on capsules of the key's set: one product for all.
///
/// # Panics
/// When a capsule is of another set.
pub(super) fn transform(
    key: &WarmKey<'_>,
    capsules: &[(&Capsule, Zeroizing<[u8; 32]>)],
) -> Vec<Capsule> {
    let (rekey, set) = (key.key, key.key.set());
    let parameters = set.parameters();
    let (dimension, digit_rows) = (parameters.dimension, parameters.digit_rows());
    let setup = Setup::of(set);
    let depth = digit_rows + dimension;
    let mut left = Wiped::zeros(capsules.len(), depth);
    let mut first = Wiped::zeros(capsules.len(), setup.packed.stride());
    let mut second = Wiped::zeros(capsules.len(), rekey.matrix.stride());
    for (at, (capsule, coins)) in capsules.iter().enumerate() {
        let coins = Coins::new(coins);
        assert_eq!(capsule.set(), set, "a capsule of the key's set");
        let mut row = left.row_mut(at);
        let (digits, h1) = row.as_slice_mut().expect("a row is one run").split_at_mut(digit_rows);
        write_digits(parameters.digits, capsule.c1(), digits);
        parameters.noise.draw(coins.stream(0), h1);
        let mut sums = first.row_mut(at);
        let h2 = &mut sums.as_slice_mut().expect("a row is one run")[..dimension];
        parameters.noise.add_to(coins.stream(1), h2);
        let mut sums = second.row_mut(at);
        let h3 = &mut sums.as_slice_mut().expect("a row is one run")[..parameters.columns];
        h3.copy_from_slice(capsule.c2());
        parameters.noise.add_to(coins.stream(2), h3);
        parameters.noise.add_flood_to(coins.stream(3), parameters.flood, h3);
    }
    let backend = key.backend;
    // X, and A below it or further rows of X.
    let last_of_x = rekey.matrix.rows();
    match &key.uniform {
        Some(uniform) => backend.add_product(&left, 0..last_of_x, uniform, &mut first),
        None => {
            let uniform = rekey.uniform();
            for (row, mut sums) in left.outer_iter().zip(first.outer_iter_mut()) {
                let factors = &row.to_slice().expect("a row is one run")[..last_of_x];
                let sums = &mut sums.as_slice_mut().expect("a row is one run")[..dimension];
                uniform.add_product(factors, sums);
            }
        }
    }
    backend.add_product(&left, 0..last_of_x, &rekey.matrix, &mut second);
    if let Some(reader) = key.reader {
        backend.add_product(&left, digit_rows..depth, &setup.packed, &mut first);
        backend.add_product(&left, digit_rows..depth, &reader.matrix, &mut second);
    }
    let halves = first.outer_iter().zip(second.outer_iter());
    let capsules = capsules.iter().zip(halves).map(|((capsule, _), (first, second))| {
        let first = &first.to_slice().expect("a row is one run")[..dimension];
        let second = &second.to_slice().expect("a row is one run")[..parameters.columns];
        capsule.next(rekey.reader(), [first, second].concat())
    });
    capsules.collect()
}
