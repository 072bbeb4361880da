//! `file.*`: sealed files. [DDB-1] [STO-6]

use mdsm_core::crypto::seal::{ContentKey, OpenError, SealCoins, open, seal};
use mdsm_core::crypto::sha256;
use serde_json::json;

use super::super::class::Class;
use super::super::value::{Field, bytes};
use super::{Outcome, reject};

pub(super) fn seal_file(args: &Field<'_>) -> Outcome {
    let key = ContentKey::new(args.get("key")?.array()?);
    let (nonce_prefix, salt) = (args.get("nonce")?.array()?, args.get("salt")?.array()?);
    let plaintext = args.get("plaintext")?.bytes()?;
    let file = seal(&plaintext, &key, SealCoins { nonce_prefix, salt })
        .or_else(|error| reject(Class::Bound, error))?;
    Ok(json!({"digest": bytes(sha256(&file).as_bytes()), "file": bytes(file)}))
}

pub(super) fn open_file(args: &Field<'_>) -> Outcome {
    let key = ContentKey::new(args.get("key")?.array()?);
    let plaintext = open(&args.get("file")?.bytes()?, &key).or_else(|error| {
        let class = match error {
            OpenError::Header { offset: 0..=3 } => Class::Tag,
            OpenError::Header { offset: 4 } => Class::Version,
            OpenError::Header { offset: 5 } => Class::Variant,
            OpenError::Header { .. } | OpenError::TooLarge { .. } => Class::Bound,
            OpenError::Truncated { .. } => Class::Truncated,
            OpenError::Trailer { .. } | OpenError::Chunk { .. } | OpenError::Commitment => {
                Class::Authentication
            }
        };
        reject(class, error)
    })?;
    Ok(json!({"plaintext": bytes(plaintext)}))
}
