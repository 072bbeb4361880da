//! A naive interpreter of OpenTimestamps files: what any such tool makes of a receipt. [ANC-2]
//!
//! Written from the format alone (python-opentimestamps, `DetachedTimestampFile` version 1), with
//! `sha2` and nothing of ours: digest, then operations on one message, then one attestation. Forks
//! (0xFF) and the operations that the spec does not draw are refused.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// What a file claims: a message that a Bitcoin block's Merkle root must equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// SHA-256 of the file that is stamped.
    pub digest: [u8; 32],
    /// The message to which the operations lead.
    pub message: Vec<u8>,
    /// Height of the Bitcoin block.
    pub height: u64,
    /// Operations carried out.
    pub operations: usize,
}

/// A file that does not follow the format. Names the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("byte {offset}: {what}")]
pub struct StampError {
    /// Where.
    pub offset: usize,
    /// What was expected there.
    pub what: &'static str,
}

const MAGIC: &[u8] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01";
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];
/// Bytes of an operand and of a message, at most.
const OPERAND_BYTES_MAX: usize = 4_096;

/// Carries out every operation of the file.
pub fn interpret(file: &[u8]) -> Result<Stamp, StampError> {
    let mut cursor = Cursor { file, at: 0 };
    if cursor.take(MAGIC.len())? != MAGIC {
        return cursor.refuse("the magic of version 1");
    }
    if cursor.byte()? != 0x08 {
        return cursor.refuse("SHA-256 as the hash of the file");
    }
    let digest = cursor.take(32)?.try_into().expect("32 bytes were taken");
    let mut message: Vec<u8> = cursor.file[cursor.at - 32..cursor.at].to_vec();
    let mut operations = 0;
    loop {
        match cursor.byte()? {
            0x08 => message = Sha256::digest(&message).to_vec(),
            0xf0 => message = [&message, cursor.operand()?].concat(),
            0xf1 => message = [cursor.operand()?, &message].concat(),
            0x00 => break,
            _ => return cursor.refuse("SHA-256, append, prepend or an attestation"),
        }
        if message.len() > OPERAND_BYTES_MAX {
            return cursor.refuse("a message of at most 4,096 bytes");
        }
        operations += 1;
    }
    if cursor.take(8)? != BITCOIN {
        return cursor.refuse("the attestation of a Bitcoin block header");
    }
    let payload = cursor.operand()?;
    let mut inner = Cursor { file: payload, at: 0 };
    let height = inner.varuint()?;
    if inner.at != payload.len() || cursor.at != file.len() {
        return cursor.refuse("the end of the file");
    }
    Ok(Stamp { digest, message, height, operations })
}

struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn refuse<T>(&self, what: &'static str) -> Result<T, StampError> {
        Err(StampError { offset: self.at, what })
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], StampError> {
        let Some(taken) = self.at.checked_add(bytes).and_then(|end| self.file.get(self.at..end))
        else {
            return self.refuse("more bytes");
        };
        self.at += bytes;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, StampError> {
        Ok(self.take(1)?[0])
    }

    /// Little-endian base 128.
    fn varuint(&mut self) -> Result<u64, StampError> {
        let mut value = 0;
        for group in 0..9 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        self.refuse("a number below 2^63")
    }

    fn operand(&mut self) -> Result<&'a [u8], StampError> {
        match usize::try_from(self.varuint()?) {
            Ok(bytes) if (1..=OPERAND_BYTES_MAX).contains(&bytes) => self.take(bytes),
            _ => self.refuse("an operand of 1 to 4,096 bytes"),
        }
    }
}
