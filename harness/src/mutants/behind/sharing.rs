//! Wrong re-encryption. [PRE-1] to [PRE-3] [PRE-5] [PRE-9]
//!
//! Arithmetic is wrong for set Toy16, whose words can be computed by hand; what is a matter of names, hops
//! and digests is wrong for every set.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Wrong, asked_otherwise, changed, rejection_of, result_of};
use crate::conformance::reference::{self, Answer};
use crate::conformance::value::{Field, bytes};
use crate::rules::lattice::random::{Uniform, draw, flood};
use crate::rules::lattice::shape::{SHAPES, Shape};
use crate::rules::lattice::words::{Matrix, packed, plus, reduced, rows, scaled, times, unpacked};
use crate::rules::merkle::sha256;

type Bytes32 = [u8; 32];

/// The set whose arithmetic is wrong.
const TOY: &Shape = &SHAPES[0];
/// Half a step of a column.
const HALF: i64 = 1 << (16 - 4 - 1);
/// Where the owner's name stands in a capsule, the reader's in an offer and in a re-encryption key.
const CAPSULE_OWNER: usize = 39;
const CAPSULE_HOLDER: usize = 71;
const CAPSULE_WORDS: usize = 103;
const OFFER_OWNER: usize = 7;
const OFFER_READER: usize = 39;
const OFFER_ROWS: usize = 103;
const REKEY_OWNER: usize = 39;
const REKEY_READER: usize = 71;
const REKEY_SEED: usize = 103;
const REKEY_ROWS: usize = 135;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    KeygenWithoutSet,
    CoinsWithoutKey,
    CoinsWithoutKeyId,
    MessageBitsTurned,
    DecapsFloor,
    OfferReused,
    OfferNoiseless,
    AcceptPrinted,
    AcceptUnshifted,
    DigitsUnsigned,
    Cut,
    Noiseless,
    Unflooded,
    HopCoinsWithoutKey,
    HopCoinsWithoutHop,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("pre-keygen-without-set", |op, args| Bug::KeygenWithoutSet.answer(op, args)),
    ("pre-coins-without-key", |op, args| Bug::CoinsWithoutKey.answer(op, args)),
    ("pre-coins-without-key-id", |op, args| Bug::CoinsWithoutKeyId.answer(op, args)),
    ("pre-message-bits-turned", |op, args| Bug::MessageBitsTurned.answer(op, args)),
    ("pre-file-key-without-id", |op, args| {
        let message = Field::whole("args", args).get("message").ok()?.bytes().ok()?;
        changed("pre.encaps", op, args, |result| {
            result["digest"] = bytes(sha256(&[&sha256(&[b"MKEM\x01", &message])]));
        })
    }),
    ("pre-decaps-floor", |op, args| Bug::DecapsFloor.answer(op, args)),
    ("pre-decaps-unchecked", |op, args| {
        rejection_of("pre.decaps", op, args)?;
        let field = Field::whole("args", args);
        let capsule = capsule_of(&field)?;
        let keys = Keys::of(Bug::DecapsFloor, &field)?;
        let message = keys.open(&capsule, HALF)?;
        Some(Answer::Ok(json!({"message": bytes(message)})))
    }),
    ("pre-offer-reused", |op, args| Bug::OfferReused.answer(op, args)),
    ("pre-offer-noiseless", |op, args| Bug::OfferNoiseless.answer(op, args)),
    ("pre-offer-names-reader", |op, args| {
        let result = result_of("pre.offer", op, args)?;
        let pair = json!({"set": args["set"], "seed": args["seed"]});
        let key = result_of("pre.key_gen", "pre.key_gen", &pair)?;
        let name = sha256(&[&Field::whole("key", &key).get("public_key").ok()?.bytes().ok()?]);
        let mut offer = Field::whole("offer", &result).get("offer").ok()?.bytes().ok()?;
        offer.get_mut(OFFER_READER..OFFER_READER + 32)?.copy_from_slice(&name);
        Some(Answer::Ok(json!({"offer": bytes(offer)})))
    }),
    ("pre-accept-any-owner", |op, args| {
        rejection_of("pre.accept", op, args)?;
        let field = Field::whole("args", args);
        let mut offer = field.get("offer").ok()?.bytes().ok()?;
        let pair = json!({"set": args["set"], "seed": args["seed"]});
        let key = result_of("pre.key_gen", "pre.key_gen", &pair)?;
        let name = sha256(&[&Field::whole("key", &key).get("public_key").ok()?.bytes().ok()?]);
        offer.get_mut(OFFER_OWNER..OFFER_OWNER + 32)?.copy_from_slice(&name);
        asked_otherwise(op, args, |args| args["offer"] = bytes(offer))
    }),
    ("pre-accept-printed", |op, args| Bug::AcceptPrinted.answer(op, args)),
    ("pre-accept-unshifted", |op, args| Bug::AcceptUnshifted.answer(op, args)),
    ("pre-reencrypt-digits-unsigned", |op, args| Bug::DigitsUnsigned.answer(op, args)),
    ("pre-reencrypt-cut", |op, args| Bug::Cut.answer(op, args)),
    ("pre-reencrypt-noiseless", |op, args| Bug::Noiseless.answer(op, args)),
    ("pre-reencrypt-unflooded", |op, args| Bug::Unflooded.answer(op, args)),
    ("pre-reencrypt-coins-without-key", |op, args| Bug::HopCoinsWithoutKey.answer(op, args)),
    ("pre-reencrypt-coins-without-hop", |op, args| Bug::HopCoinsWithoutHop.answer(op, args)),
    ("pre-reencrypt-any-owner", |op, args| {
        rejection_of("pre.re_encrypt", op, args)?;
        let field = Field::whole("args", args);
        let rekey = field.get("rekey").ok()?.bytes().ok()?;
        let mut capsule = capsule_of(&field)?;
        let name = rekey.get(REKEY_OWNER..REKEY_OWNER + 32)?;
        let was = capsule.get(CAPSULE_OWNER..CAPSULE_WORDS)?.to_vec();
        capsule.get_mut(CAPSULE_HOLDER..CAPSULE_WORDS)?.copy_from_slice(name);
        if capsule.get(6) == Some(&0) {
            capsule.get_mut(CAPSULE_OWNER..CAPSULE_HOLDER)?.copy_from_slice(name);
        }
        let answer = asked_otherwise(op, args, |args| args["capsule"] = bytes(capsule))?;
        with_capsule(answer, |capsule| {
            if let (Some(owner), Some(was)) =
                (capsule.get_mut(CAPSULE_OWNER..CAPSULE_HOLDER), was.get(..32))
            {
                owner.copy_from_slice(was);
            }
        })
    }),
    ("pre-reencrypt-any-reader", |op, args| {
        rejection_of("pre.re_encrypt", op, args)?;
        let field = Field::whole("args", args);
        let reader = field.find("reader").ok()??.bytes().ok()?;
        let mut rekey = field.get("rekey").ok()?.bytes().ok()?;
        rekey.get_mut(REKEY_READER..REKEY_READER + 32)?.copy_from_slice(&sha256(&[&reader]));
        asked_otherwise(op, args, |args| args["rekey"] = bytes(rekey))
    }),
    ("pre-reencrypt-hop-uncounted", |op, args| {
        let hop = *capsule_of(&Field::whole("args", args))?.get(6)?;
        let answer = Answer::Ok(result_of("pre.re_encrypt", op, args)?);
        with_capsule(answer, |capsule| capsule[6] = hop)
    }),
    ("pre-reencrypt-hops-unbounded", |op, args| {
        rejection_of("pre.re_encrypt", op, args)?;
        let mut capsule = capsule_of(&Field::whole("args", args))?;
        *capsule.get_mut(6)? = capsule.get(6)?.checked_sub(1)?;
        let answer = asked_otherwise(op, args, |args| args["capsule"] = bytes(capsule))?;
        with_capsule(answer, |capsule| capsule[6] += 1)
    }),
    ("pre-reencrypt-holder-kept", |op, args| {
        let before = capsule_of(&Field::whole("args", args))?;
        let answer = Answer::Ok(result_of("pre.re_encrypt", op, args)?);
        with_capsule(answer, |capsule| {
            capsule[CAPSULE_HOLDER..CAPSULE_WORDS]
                .copy_from_slice(&before[CAPSULE_HOLDER..CAPSULE_WORDS]);
        })
    }),
];

fn capsule_of(field: &Field<'_>) -> Option<Vec<u8>> {
    field.find("capsule").ok()??.bytes().ok()
}

/// The result of a re-encryption, changed; a rejection as it is.
fn with_capsule(answer: Answer, change: impl FnOnce(&mut [u8])) -> Option<Answer> {
    let Answer::Ok(result) = answer else { return None };
    let mut capsule = capsule_of(&Field::whole("result", &result))?;
    change(&mut capsule);
    Some(Answer::Ok(json!({"capsule": bytes(capsule)})))
}

fn is_toy(value: &[u8]) -> bool {
    value.get(5) == Some(&TOY.number)
}

/// Words behind an offset, in rows.
fn matrix(value: &[u8], at: usize) -> Option<Matrix> {
    Some(rows(&unpacked(TOY, value.get(at..)?), TOY.columns))
}

/// S and P of set Toy16.
struct Keys {
    s: Matrix,
    p: Matrix,
}

impl Keys {
    fn of(bug: Bug, field: &Field<'_>) -> Option<Self> {
        let set: u8 = field.get("set").ok()?.integer().ok()?;
        if set != TOY.number {
            return None;
        }
        let seed: Bytes32 = field.get("seed").ok()?.array().ok()?;
        let key = match bug {
            Bug::KeygenWithoutSet => sha256(&[b"MKGN\x01", &seed]),
            _ => sha256(&[b"MKGN\x01", &[set], &seed]),
        };
        let drawn = |k| rows(&draw(TOY, &key, k, TOY.n * TOY.columns), TOY.columns);
        let (s, r) = (drawn(0), drawn(1));
        let a = Uniform::a(TOY);
        let row = |(number, r): (usize, &Vec<i64>)| {
            reduced(TOY, &plus(r, &scaled(&times(&a.row(number), &s), -1)))
        };
        let p = r.iter().enumerate().map(row).collect();
        Some(Self { s, p })
    }

    fn public(&self) -> Vec<u8> {
        [b"MPUB\x01", &[TOY.number][..], &packed(TOY, &self.p.concat())].concat()
    }

    /// What a capsule holds, when so much is added to a column before it is cut.
    fn open(&self, capsule: &[u8], half: i64) -> Option<Bytes32> {
        if !is_toy(capsule) {
            return None;
        }
        let words = unpacked(TOY, capsule.get(CAPSULE_WORDS..)?);
        let (c1, c2) = words.split_at_checked(TOY.n)?;
        let step = TOY.q() >> TOY.b;
        let mut message = [0; 32];
        for (column, word) in plus(&times(c1, &self.s), c2).iter().enumerate() {
            let value = (word + half).rem_euclid(TOY.q()) / step;
            for place in 0..TOY.b {
                let bit = column * 4 + usize::try_from(place).ok()?;
                *message.get_mut(bit / 8)? |= u8::from(value >> place & 1 == 1) << (bit % 8);
            }
        }
        Some(message)
    }
}

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        let Answer::Ok(_) = reference::answer(op, args) else { return None };
        let field = Field::whole("args", args);
        match (op, self) {
            ("pre.key_gen", Self::KeygenWithoutSet | Self::None) => {
                let public = Keys::of(self, &field)?.public();
                Some(Answer::Ok(json!({"public_key": bytes(public)})))
            }
            ("pre.encaps", Self::CoinsWithoutKey | Self::CoinsWithoutKeyId | Self::None) => {
                self.encaps(&field)
            }
            ("pre.encaps", Self::MessageBitsTurned) => {
                let message: Vec<u8> = field.get("message").ok()?.bytes().ok()?;
                let turned: Vec<u8> = message.iter().map(|byte| byte.reverse_bits()).collect();
                let answer = asked_otherwise(op, args, |args| args["message"] = bytes(turned))?;
                let Answer::Ok(mut result) = answer else { return None };
                let key_id = field.get("key_id").ok()?.bytes().ok()?;
                let file_key = sha256(&[b"MKEM\x01", &key_id, &message]);
                result["digest"] = bytes(sha256(&[&file_key]));
                Some(Answer::Ok(result))
            }
            ("pre.decaps", Self::MessageBitsTurned) => {
                let result = result_of(op, op, args)?;
                let message = Field::whole("result", &result).get("message").ok()?.bytes().ok()?;
                let turned: Vec<u8> = message.iter().map(|byte| byte.reverse_bits()).collect();
                Some(Answer::Ok(json!({"message": bytes(turned)})))
            }
            ("pre.decaps", Self::DecapsFloor | Self::None) => {
                let half = if self == Self::None { HALF } else { 0 };
                let message = Keys::of(self, &field)?.open(&capsule_of(&field)?, half)?;
                Some(Answer::Ok(json!({"message": bytes(message)})))
            }
            ("pre.offer", Self::OfferReused | Self::OfferNoiseless | Self::None) => {
                self.offer(&field)
            }
            ("pre.accept", Self::AcceptPrinted | Self::AcceptUnshifted | Self::None) => {
                self.accept(&field)
            }
            ("pre.re_encrypt", _) if self.is_of_a_hop() => self.re_encrypt(&field),
            _ => None,
        }
    }

    fn is_of_a_hop(self) -> bool {
        matches!(
            self,
            Self::None
                | Self::DigitsUnsigned
                | Self::Cut
                | Self::Noiseless
                | Self::Unflooded
                | Self::HopCoinsWithoutKey
                | Self::HopCoinsWithoutHop
        )
    }

    fn encaps(self, field: &Field<'_>) -> Option<Answer> {
        let public = field.get("public_key").ok()?.bytes().ok()?;
        if !is_toy(&public) {
            return None;
        }
        let (key_id, m): (Bytes32, Bytes32) =
            (field.get("key_id").ok()?.array().ok()?, field.get("message").ok()?.array().ok()?);
        let (p, name) = (matrix(&public, 6)?, sha256(&[&public]));
        let coins = match self {
            Self::CoinsWithoutKey => sha256(&[b"MENC\x01", &[TOY.number], &key_id, &m]),
            Self::CoinsWithoutKeyId => sha256(&[b"MENC\x01", &[TOY.number], &name, &m]),
            _ => sha256(&[b"MENC\x01", &[TOY.number], &name, &key_id, &m]),
        };
        let (e1, e2) = (draw(TOY, &coins, 0, TOY.n), draw(TOY, &coins, 1, TOY.n));
        let e3 = draw(TOY, &coins, 2, TOY.columns);
        let a = Uniform::a(TOY);
        let a: Matrix = (0..TOY.n).map(|row| a.row(row)).collect();
        let c1 = reduced(TOY, &plus(&times(&e1, &a), &e2));
        let step = TOY.q() >> TOY.b;
        // Four bits in a column.
        let column = |byte: &u8| [i64::from(byte & 15) * step, i64::from(byte >> 4) * step];
        let encoded: Vec<i64> = m.iter().flat_map(column).collect();
        let c2 = reduced(TOY, &plus(&plus(&times(&e1, &p), &e3), &encoded));
        let words = packed(TOY, &[c1, c2].concat());
        let capsule = [b"MCAP\x01", &[TOY.number, 0][..], &key_id, &name, &name, &words].concat();
        let digest = sha256(&[&sha256(&[b"MKEM\x01", &key_id, &m])]);
        Some(Answer::Ok(json!({"capsule": bytes(capsule), "digest": bytes(digest)})))
    }

    fn offer(self, field: &Field<'_>) -> Option<Answer> {
        let keys = Keys::of(self, field)?;
        let (owner, coins): (Bytes32, Bytes32) =
            (field.get("owner").ok()?.array().ok()?, field.get("coins").ok()?.array().ok()?);
        let variant: u8 = field.get("variant").ok()?.integer().ok()?;
        let name = sha256(&[&keys.public()]);
        let head: [&[u8]; 3] = [b"MOFN\x01", &[TOY.number], &[variant]];
        let key = match self {
            Self::OfferReused => sha256(&[&head.concat(), &name, &coins]),
            _ => sha256(&[&head.concat(), &owner, &name, &coins]),
        };
        let seed = sha256(&[b"MOFX\x01", &key]);
        let reader = if variant == 0 { name } else { sha256(&[b"MPSE\x01", &seed]) };
        let lines = (TOY.l + usize::from(variant == 1)) * TOY.n;
        let e = rows(&draw(TOY, &key, 0, lines * TOY.columns), TOY.columns);
        let x = Uniform::new(b"MLWX\x01", TOY, &seed);
        let row = |(number, e): (usize, &Vec<i64>)| {
            let product = scaled(&times(&x.row(number), &keys.s), -1);
            if self == Self::OfferNoiseless { product } else { plus(&product, e) }
        };
        let u: Vec<i64> = e.iter().enumerate().flat_map(row).collect();
        let words = packed(TOY, &reduced(TOY, &u));
        let names = [owner, reader, seed].concat();
        let offer = [b"MOFF\x01", &[TOY.number, variant][..], &names, &words].concat();
        Some(Answer::Ok(json!({"offer": bytes(offer)})))
    }

    fn accept(self, field: &Field<'_>) -> Option<Answer> {
        let keys = Keys::of(self, field)?;
        let (offer, grant): (_, Bytes32) =
            (field.get("offer").ok()?.bytes().ok()?, field.get("grant").ok()?.array().ok()?);
        let row = |(number, u): (usize, Vec<i64>)| {
            let (digit, line) = (number / TOY.n, number % TOY.n);
            if digit >= TOY.l {
                return u;
            }
            let power = usize::try_from(TOY.w).unwrap_or(0) * digit;
            let power = match self {
                Self::AcceptPrinted => 0,
                Self::AcceptUnshifted => power,
                _ => power + usize::try_from(TOY.d).unwrap_or(0),
            };
            plus(&u, &scaled(&keys.s[line], 1 << power))
        };
        let u = matrix(&offer, OFFER_ROWS)?;
        let q: Vec<i64> = u.into_iter().enumerate().flat_map(row).collect();
        let words = packed(TOY, &reduced(TOY, &q));
        let (set, names) = (offer.get(5..7)?, offer.get(7..OFFER_ROWS)?);
        let rekey = [b"MRKY\x01", set, &grant, names, &words].concat();
        Some(Answer::Ok(json!({"rekey": bytes(rekey)})))
    }

    fn digits(self, c1: &[i64]) -> Vec<i64> {
        let base = 1_i64 << TOY.w;
        let half = if self == Self::Cut { 0 } else { (1 << TOY.d) / 2 };
        let highest = if self == Self::DigitsUnsigned { base - 1 } else { base / 2 - 1 };
        let mut rest: Vec<i64> = c1.iter().map(|word| (word + half) >> TOY.d).collect();
        let mut digits = Vec::new();
        for _ in 0..TOY.l {
            for rest in &mut rest {
                let digit = rest.rem_euclid(base);
                let digit = if digit > highest { digit - base } else { digit };
                digits.push(digit);
                *rest = (*rest - digit) / base;
            }
        }
        digits
    }

    fn re_encrypt(self, field: &Field<'_>) -> Option<Answer> {
        let (rekey, capsule) = (field.get("rekey").ok()?.bytes().ok()?, capsule_of(field)?);
        if !is_toy(&rekey) {
            return None;
        }
        let secret = field.get("secret").ok()?.bytes().ok()?;
        let hop = *capsule.get(6)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).ok()?;
        mac.update(b"MCOI\x01");
        if self != Self::HopCoinsWithoutKey {
            mac.update(&sha256(&[&rekey]));
        }
        mac.update(&sha256(&[&capsule]));
        if self != Self::HopCoinsWithoutHop {
            mac.update(&[hop]);
        }
        let coins: Bytes32 = mac.finalize().into_bytes().into();
        let noise = |k, count| match self {
            Self::Noiseless => vec![0; count],
            _ => draw(TOY, &coins, k, count),
        };
        let (h1, h2, h3) = (noise(0, TOY.n), noise(1, TOY.n), noise(2, TOY.columns));
        let h3 = match self {
            Self::Noiseless | Self::Unflooded => h3,
            _ => plus(&h3, &flood(TOY, &coins, 3, TOY.columns)),
        };
        let seed: Bytes32 = rekey.get(REKEY_SEED..REKEY_ROWS)?.try_into().ok()?;
        let (a, x) = (Uniform::a(TOY), Uniform::new(b"MLWX\x01", TOY, &seed));
        let (digits, mut right) = (TOY.l * TOY.n, matrix(&rekey, REKEY_ROWS)?);
        let is_public = rekey.get(6) == Some(&0);
        if is_public {
            right.extend(matrix(&field.find("reader").ok()??.bytes().ok()?, 6)?);
        }
        let left = |row| if is_public && row >= digits { a.row(row - digits) } else { x.row(row) };
        let left: Matrix = (0..digits + TOY.n).map(left).collect();
        let words = unpacked(TOY, capsule.get(CAPSULE_WORDS..)?);
        let (c1, c2) = words.split_at_checked(TOY.n)?;
        let factors = [self.digits(c1), h1].concat();
        let c1 = reduced(TOY, &plus(&times(&factors, &left), &h2));
        let c2 = reduced(TOY, &plus(&plus(&times(&factors, &right), &h3), c2));
        let words = packed(TOY, &[c1, c2].concat());
        let (head, names) = (capsule.get(..6)?, capsule.get(7..CAPSULE_HOLDER)?);
        let holder = rekey.get(REKEY_READER..REKEY_SEED)?;
        let capsule = [head, &[hop.checked_add(1)?], names, holder, &words].concat();
        Some(Answer::Ok(json!({"capsule": bytes(capsule)})))
    }
}
