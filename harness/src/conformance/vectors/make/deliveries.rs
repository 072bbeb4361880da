//! What a proxy signs when it delivers, and deliveries that nobody may take. [PRE-1] [PRE-8]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::sharing::Scene;
use super::{Maker, bytes, named};
use crate::rules::ed25519;
use crate::rules::merkle::sha256;
use crate::rules::mirror::Bytes32;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "deliveries",
        "Deliveries: the proxy's signature over grant and both capsules, set Toy16.",
    );
    maker.flag(
        "delivery-unbound",
        "grant, one of the capsules or the proxy is not part of what is signed, or not compared",
        "a proxy denies what it delivered, or is blamed for what another one did",
        None,
    );
    maker.flag(
        "hops-unaccounted",
        "a delivery may add no hop, or more than one",
        "a capsule whose way nobody signed for is re-encrypted",
        None,
    );
    let hops = Scene::new().way();
    for (hop, pair) in hops.windows(2).enumerate() {
        let delivery = Delivery::new(&pair[0].0, &pair[1].0);
        let ok = json!({"delivery": bytes(delivery.encode())});
        let args = json!({
            "seed": bytes(proxy()), "grant": bytes(named("grant")),
            "before": bytes(&pair[0].0), "capsule": bytes(&pair[1].0),
        });
        maker.valid(format!("delivery.sign.{hop}"), "delivery.sign", args, ok, &["PRE-8.2"]);
        let args = delivery.args(&pair[0].0, &pair[1].1);
        let id = format!("delivery.check.{hop}");
        maker.valid(id, "delivery.check", args, json!({}), &["PRE-8.2"]);
    }
    unsigned(&mut maker, &hops);
    of_others(&mut maker, &hops);
    unaccounted(&mut maker, &hops);
    maker.done()
}

/// A capsule and the name of the key that it is under.
type Stop = (Vec<u8>, Bytes32);

fn proxy() -> Bytes32 {
    named("proxy that delivers")
}

/// A delivery in its parts.
#[derive(Clone)]
struct Delivery {
    grant: Bytes32,
    before: Bytes32,
    capsule: Vec<u8>,
    proxy: Bytes32,
    signature: [u8; 64],
}

impl Delivery {
    fn new(before: &[u8], capsule: &[u8]) -> Self {
        let capsule = capsule.to_vec();
        let (grant, before) = (named("grant"), sha256(&[before]));
        let (proxy, signature) = (ed25519::public(&proxy()), [0; 64]);
        Self { grant, before, capsule, proxy, signature }.signed()
    }

    fn signed(mut self) -> Self {
        let capsule = sha256(&[&self.capsule]);
        let message = [b"MDLM\x01", &self.grant[..], &self.before, &capsule].concat();
        self.signature = ed25519::sign(&proxy(), &message);
        self
    }

    fn encode(&self) -> Vec<u8> {
        let Self { grant, before, capsule, proxy, signature } = self;
        // The capsule stands without tag and version.
        [b"MDLV\x01", &grant[..], before, &capsule[5..], proxy, signature].concat()
    }

    fn args(&self, before: &[u8], reader: &Bytes32) -> Value {
        json!({
            "proxy": bytes(ed25519::public(&proxy())), "grant": bytes(named("grant")),
            "reader": bytes(reader), "before": bytes(before), "delivery": bytes(self.encode()),
        })
    }
}

/// Signatures that are not the proxy's over this delivery.
fn unsigned(maker: &mut Maker, hops: &[Stop]) {
    maker.finding(&["delivery-unbound"]);
    let [(before, _), (after, reader), ..] = hops else { return };
    let sound = Delivery::new(before, after);
    let mut invalid = |id: &str, delivery: &Delivery| {
        let (id, args) = (format!("delivery.check.{id}"), delivery.args(before, reader));
        maker.invalid(id, "delivery.check", args, &[Class::Signature], &["PRE-8.2"]);
    };
    let stranger = ed25519::public(&named("stranger"));
    invalid("proxy-renamed", &Delivery { proxy: stranger, ..sound.clone() });
    invalid("grant-exchanged", &Delivery { grant: named("other grant"), ..sound.clone() });
    invalid("before-exchanged", &Delivery { before: named("other capsule"), ..sound.clone() });
    let mut other = sound.clone();
    let last = other.capsule.len() - 1;
    other.capsule[last] ^= 1;
    invalid("capsule-exchanged", &other);
    let mut signature = sound.signature;
    signature[3] ^= 1;
    invalid("signature-changed", &Delivery { signature, ..sound.clone() });
    let mut args = sound.args(before, reader);
    args["proxy"] = bytes(stranger);
    let id = "delivery.check.another-proxy";
    maker.invalid(id, "delivery.check", args, &[Class::Signature], &["PRE-8.2"]);
    let encoded = sound.encode();
    let mut args = sound.args(before, reader);
    args["delivery"] = bytes(&encoded[..encoded.len() - 1]);
    let id = "delivery.check.truncated";
    maker.invalid(id, "delivery.check", args, &[Class::Truncated], &["STO-1.3"]);
}

/// Well signed, and about something else.
fn of_others(maker: &mut Maker, hops: &[Stop]) {
    let [(before, _), (after, reader), (_, third)] = hops else { return };
    let sound = Delivery::new(before, after);
    let mut refused = |id: &str, delivery: &Delivery, reader: &Bytes32| {
        let (id, args) = (format!("delivery.check.{id}"), delivery.args(before, reader));
        maker.invalid(id, "delivery.check", args, &[Class::Refused], &["PRE-8.2"]);
    };
    let grant = named("other grant");
    refused("another-grant", &Delivery { grant, ..sound.clone() }.signed(), reader);
    let other = named("other capsule");
    refused(
        "another-capsule-before",
        &Delivery { before: other, ..sound.clone() }.signed(),
        reader,
    );
    refused("another-reader", &sound, third);
}

/// Hops that no delivery accounts for.
fn unaccounted(maker: &mut Maker, hops: &[Stop]) {
    maker.finding(&["hops-unaccounted"]);
    let [(before, owner), _, (second, reader)] = hops else { return };
    for (id, after, reader) in [("two-hops-at-once", second, reader), ("no-hop", before, owner)] {
        let args = Delivery::new(before, after).args(before, reader);
        let id = format!("delivery.check.{id}");
        maker.invalid(id, "delivery.check", args, &[Class::Refused], &["PRE-1.8"]);
    }
}
