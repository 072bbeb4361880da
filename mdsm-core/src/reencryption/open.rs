//! The reader's side: decrypt, seal again for the owner, compare, and only then hand out the key of
//! the file. [PRE-6] [PRE-8]

use super::approve::remade;
use super::capsule::Capsule;
use super::encapsulate::noisy_message;
use super::error::OpenError;
use super::keys::{PublicKey, SecretKey};
use super::message::Message;
use crate::crypto::seal::ContentKey;

/// The key of the file, from a capsule that was re-encrypted for the holder of `secret`, or from the
/// original by the owner itself.
///
/// `original` is the owner's capsule as the chain has it, `owner` the key that it is under.
///
/// # Errors
/// When the capsules do not belong together, and when the received one does not decrypt to the
/// original: another reader's, or not what an honest proxy makes.
pub fn open(
    secret: &SecretKey,
    owner: &PublicKey,
    original: &Capsule,
    received: &Capsule,
) -> Result<ContentKey, OpenError> {
    let (key, capsule) = (secret.set(), received.set());
    if key != capsule {
        return Err(OpenError::Set { key, capsule });
    }
    let same_file = received.key_id == original.key_id && received.owner == original.owner;
    let of_owner = original.set() == owner.set()
        && original.hop() == 0
        && [original.owner, original.holder] == [owner.digest(); 2];
    if original.set() != capsule || !same_file || !of_owner {
        return Err(OpenError::Unrelated);
    }
    //= harness/spec/reencryption.md#pre-6-reading
    //# PRE-6.1 (paper): The reader MUST be able to decrypt with its own private key only.
    let words = noisy_message(secret, received);
    let message = Message::of_words(received.set().parameters(), &words);
    //= harness/spec/reencryption.md#pre-6-reading
    //# PRE-6.2 (ours): The reader MUST recompute the owner's original capsule from what it decrypted
    //# and refuse to open the file when the two differ.
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //# PRE-8.1 (paper): A proxy that re-encrypts wrongly MUST be found out.
    remade(owner, original, &message).ok_or(OpenError::NotTheOriginal)
}
