//! Deliveries that are signed or checked wrongly. [PRE-1] [PRE-8]

use serde_json::{Value, json};

use super::{Wrong, changed, rejection_of};
use crate::conformance::class::Class;
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, bytes};
use crate::rules::ed25519;
use crate::rules::merkle::sha256;

/// Bytes of a signature, at the end of a delivery.
const SIGNATURE: usize = 64;

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("delivery-sign-without-grant", |op, args| signed(op, args, [false, true, true])),
    ("delivery-sign-without-before", |op, args| signed(op, args, [true, false, true])),
    ("delivery-sign-without-after", |op, args| signed(op, args, [true, true, false])),
    ("delivery-check-unsigned", |op, args| taken(op, args, Class::Signature)),
    ("delivery-check-of-anything", |op, args| taken(op, args, Class::Refused)),
];

/// Signs only some of grant, capsule before and capsule behind.
fn signed(op: &str, args: &Value, parts: [bool; 3]) -> Option<Answer> {
    let field = Field::whole("args", args);
    let of = |name: &str| field.get(name).ok()?.bytes().ok();
    let statement = || {
        let all =
            [of("grant")?, sha256(&[&of("before")?]).into(), sha256(&[&of("capsule")?]).into()];
        let some = all.into_iter().zip(parts).filter(|(_, is_part)| *is_part);
        Some([b"MDLM\x01".to_vec(), some.flat_map(|(part, _)| part).collect()].concat())
    };
    let seed = || <[u8; 32]>::try_from(of("seed")?).ok();
    changed("delivery.sign", op, args, |result| {
        let delivery = Field::whole("ok", result).get("delivery").and_then(|one| one.bytes());
        if let (Ok(mut delivery), Some(statement), Some(seed)) = (delivery, statement(), seed()) {
            delivery.truncate(delivery.len().saturating_sub(SIGNATURE));
            delivery.extend(ed25519::sign(&seed, &statement));
            result["delivery"] = bytes(delivery);
        }
    })
}

/// Takes what has to be rejected in this way.
fn taken(op: &str, args: &Value, as_what: Class) -> Option<Answer> {
    let (class, _) = rejection_of("delivery.check", op, args)?;
    (class == as_what).then(|| Answer::Ok(json!({})))
}
