//! Who asks and who answers, by signatures. [CLI-1] [CLI-2]
//!
//! ```text
//! call    "MASK" 1 | chain 32 | time i64 | SHA-256( method, space, line )      77 bytes
//! answer  "MSPK" 1 | chain 32 | SHA-256( line ) | SHA-256( body )           101 bytes
//! ```
//! A call holds for a minute around its time, so that whoever overhears it can ask the same again for
//! that long and no other thing; the link keeps others from overhearing. It grants nothing: acts are
//! records, each signed by itself.

use std::str::FromStr;

use thiserror::Error;

use crate::codec::prefix;
use crate::crypto::sha256;
use crate::crypto::sign::{Ed25519, KeyError, Scheme, SigningKey};
use crate::types::{ChainId, HexError, InstitutionId, OwnerId, Signature, Timestamp};

/// Milliseconds by which the time of a call may be away from the clock of who is asked.
pub const CALL_WINDOW_MS: i64 = 60_000;

/// A call's signature, as the field `Authorization` carries it:
/// `MDSM key=<hex>,time=<ms>,signature=<hex>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who calls.
    pub key: OwnerId,
    /// When.
    pub time: Timestamp,
    /// Over network, time, method and line.
    pub signature: Signature,
}

/// A call that is nobody's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallerError {
    /// Not of the form above.
    #[error("authorization: `MDSM key=<hex>,time=<ms>,signature=<hex>` is expected")]
    Form,
    /// Not hex.
    #[error("authorization.{field}: {error}")]
    Hex {
        /// Which part.
        field: &'static str,
        /// What is wrong.
        error: HexError,
    },
    /// Too old or too new.
    #[error("authorization.time: {time} is more than {CALL_WINDOW_MS} ms away from {now}")]
    Time {
        /// Time of the call.
        time: Timestamp,
        /// Clock of who is asked.
        now: Timestamp,
    },
    /// The key cannot own records.
    #[error("authorization.key: {0}")]
    Key(#[from] KeyError),
    /// Another key, call, time or network.
    #[error("authorization.signature: does not hold for this call")]
    Signature,
}

/// An institution's signature under its answer, as the fields `mdsm-institution` and
/// `mdsm-signature` carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Who answers.
    pub institution: InstitutionId,
    /// Over network, line and body.
    pub signature: Signature,
}

/// An answer that is not the institution's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature of institution {institution} does not hold for this answer")]
pub struct SpeakerError {
    /// Who is said to have answered.
    pub institution: InstitutionId,
}

impl Caller {
    /// Signs a call: method in capitals, then path and query.
    #[must_use]
    pub fn sign(
        chain: &ChainId,
        method: &str,
        line: &str,
        time: Timestamp,
        key: &SigningKey,
    ) -> Self {
        let signature = key.sign(&call_message(chain, method, line, time));
        Self { key: key.owner(), time, signature }
    }

    /// Who calls, if the signature is for this call and of this minute.
    //= harness/spec/clients.md#cli-1-full-client
    //# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
    //# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a
    //# grant that holds opens what is answered.
    pub fn check(
        &self,
        chain: &ChainId,
        method: &str,
        line: &str,
        now: Timestamp,
    ) -> Result<OwnerId, CallerError> {
        let Self { key, time, signature } = self;
        if time.get().abs_diff(now.get()) > CALL_WINDOW_MS.unsigned_abs() {
            return Err(CallerError::Time { time: *time, now });
        }
        Ed25519.check_key(key)?;
        let message = call_message(chain, method, line, *time);
        let holds = Ed25519.holds(key, &message, signature);
        if holds { Ok(*key) } else { Err(CallerError::Signature) }
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, time, signature } = self;
        write!(f, "MDSM key={key},time={time},signature={signature}")
    }
}

impl FromStr for Caller {
    type Err = CallerError;

    fn from_str(text: &str) -> Result<Self, CallerError> {
        let fields = text.strip_prefix("MDSM ").ok_or(CallerError::Form)?;
        let fields: Vec<&str> = fields.split(',').collect();
        let [key, time, signature] = fields[..] else { return Err(CallerError::Form) };
        let value = |field: &'static str, text: &'_ str| {
            let value = text.strip_prefix(field).and_then(|rest| rest.strip_prefix('='));
            value.map(str::to_owned).ok_or(CallerError::Form)
        };
        let hex = |field| move |error| CallerError::Hex { field, error };
        let key = value("key", key)?.parse().map_err(hex("key"))?;
        let time = value("time", time)?.parse().map_err(|_| CallerError::Form)?;
        let signature = value("signature", signature)?.parse().map_err(hex("signature"))?;
        Ok(Self { key, time: Timestamp::new(time), signature })
    }
}

impl Speaker {
    /// What an institution signs under an answer; the key stays where it is kept.
    //= harness/spec/clients.md#cli-1-full-client
    //# CLI-1.6 (ours): An institution MUST sign each answer that it gives, together with the question.
    #[must_use]
    pub fn message(chain: &ChainId, line: &str, body: &[u8]) -> Vec<u8> {
        let mut message = prefix(*b"MSPK").to_vec();
        message.extend_from_slice(chain.as_bytes());
        message.extend_from_slice(sha256(line.as_bytes()).as_bytes());
        message.extend_from_slice(sha256(body).as_bytes());
        message
    }

    /// Checks that the institution with this key gave this answer to this question.
    pub fn check(
        &self,
        chain: &ChainId,
        line: &str,
        body: &[u8],
        key: &OwnerId,
    ) -> Result<(), SpeakerError> {
        let message = Self::message(chain, line, body);
        let holds = Ed25519.holds(key, &message, &self.signature);
        if holds { Ok(()) } else { Err(SpeakerError { institution: self.institution }) }
    }
}

fn call_message(chain: &ChainId, method: &str, line: &str, time: Timestamp) -> Vec<u8> {
    let mut message = prefix(*b"MASK").to_vec();
    message.extend_from_slice(chain.as_bytes());
    message.extend_from_slice(&time.get().to_le_bytes());
    message.extend_from_slice(sha256(format!("{method} {line}").as_bytes()).as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: ChainId = ChainId::new([1; 32]);
    const NOW: Timestamp = Timestamp::new(1_000_000);
    const LINE: &str = "/v1/owners/aa/records?at=3";

    fn call(key: u8) -> Caller {
        Caller::sign(&CHAIN, "GET", LINE, NOW, &SigningKey::from_seed(&[key; 32]))
    }

    #[test]
    fn cli_1_5_a_call_is_for_one_line_one_network_and_one_minute() {
        //= harness/spec/clients.md#cli-1-full-client
        //= type=test
        //# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a
        //# call signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to
        //# whom a grant that holds opens what is answered.
        let sound = call(1);
        assert_eq!(sound.to_string().parse(), Ok(sound));
        let check = |caller: Caller| caller.check(&CHAIN, "GET", LINE, NOW);
        assert_eq!(check(sound), Ok(sound.key));
        let wrong = Err(CallerError::Signature);
        assert_eq!(sound.check(&ChainId::new([2; 32]), "GET", LINE, NOW), wrong);
        assert_eq!(sound.check(&CHAIN, "POST", LINE, NOW), wrong);
        assert_eq!(sound.check(&CHAIN, "GET", "/v1/owners/aa/records?at=4", NOW), wrong);
        assert_eq!(check(Caller { key: call(2).key, ..sound }), wrong);
        assert_eq!(check(Caller { signature: call(2).signature, ..sound }), wrong);
        assert_eq!(check(Caller { time: Timestamp::new(999_999), ..sound }), wrong);
        let at = |now: i64| sound.check(&CHAIN, "GET", LINE, Timestamp::new(now)).is_ok();
        assert_eq!(
            [at(940_000), at(939_999), at(1_060_000), at(1_060_001)],
            [true, false, true, false]
        );
        assert!(!at(i64::MIN) && !at(i64::MAX));
        let identity = OwnerId::new(std::array::from_fn(|at| u8::from(at == 0)));
        let everything = Caller { key: identity, signature: Signature::new([0; 64]), ..sound };
        assert_eq!(check(everything), Err(CallerError::Key(KeyError::SmallOrder)));
    }

    #[test]
    fn what_is_no_authorization_is_named() {
        let sound = call(1).to_string();
        for (text, why) in [
            (String::new(), "is expected"),
            (sound.replace("MDSM", "Basic"), "is expected"),
            (sound.replace("time", "tame"), "is expected"),
            (format!("{sound},more=1"), "is expected"),
            (sound.replace("1000000", "now"), "is expected"),
            (sound.replace("signature=", "signature=0"), "authorization.signature: 129 characters"),
            (sound.replace("key=", "key=é"), "authorization.key: 65 characters"),
        ] {
            let error = text.parse::<Caller>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn cli_1_6_an_answer_is_for_one_question() {
        //= harness/spec/clients.md#cli-1-full-client
        //= type=test
        //# CLI-1.6 (ours): An institution MUST sign each answer that it gives, together with the
        //# question.
        let key = SigningKey::from_seed(&[3; 32]);
        let institution = InstitutionId::new(3);
        let signature = key.sign(&Speaker::message(&CHAIN, LINE, b"{}"));
        let sound = Speaker { institution, signature };
        let check =
            |chain: &ChainId, line: &str, body: &[u8]| sound.check(chain, line, body, &key.owner());
        assert_eq!(check(&CHAIN, LINE, b"{}"), Ok(()));
        let wrong = Err(SpeakerError { institution });
        assert_eq!(check(&ChainId::new([2; 32]), LINE, b"{}"), wrong);
        assert_eq!(check(&CHAIN, "/v1/status", b"{}"), wrong);
        assert_eq!(check(&CHAIN, LINE, b"{ }"), wrong);
        let other = SigningKey::from_seed(&[4; 32]).owner();
        assert_eq!(sound.check(&CHAIN, LINE, b"{}", &other), wrong);
    }
}
