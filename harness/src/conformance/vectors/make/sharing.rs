//! Re-encryption of set Toy16, every algorithm with fixed seeds, by the naive restatement; what the other
//! sets give stands in `reencryption.json`. [PRE-1] [PRE-2] [PRE-3]

use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::shape::VectorFile;
use super::{Maker, bytes, named};
use crate::rules::lattice::scheme::{Capsule, Keys, encaps, encode_public, key_gen};
use crate::rules::lattice::shape::{SHAPES, Shape};
use crate::rules::lattice::transform::{KEY_PRIVATE, PUBLIC, Rows, accept, offer, re_enc};
use crate::rules::lattice::words::Matrix;
use crate::rules::merkle::sha256;
use crate::rules::mirror::Bytes32;

pub(super) fn made() -> VectorFile {
    let mut maker = Maker::new(
        "sharing",
        "Re-encryption, set Toy16: keys, capsules, offers, re-encryption keys and two hops, bit by bit. Its sizes have no security.",
    );
    let flags = [
        (
            "bits-wrong",
            "an algorithm yields other bits for the same seeds",
            "capsules of one implementation do not open in another",
        ),
        (
            "recomputation-missed",
            "a capsule is not made again and compared",
            "a chosen capsule hands a reader a row of its owner's key",
        ),
        (
            "names-unchecked",
            "keys and capsules are not matched by their names",
            "what is re-encrypted decrypts to noise, and its proxy is blamed",
        ),
        (
            "hops-unbounded",
            "hops are not counted, or the limit of the set is not kept",
            "noise outgrows the message",
        ),
        (
            "bound-unchecked",
            "sets and variants that do not exist are taken",
            "memory is taken for parameters that a stranger chose",
        ),
    ];
    for (name, bug, effect) in flags {
        maker.flag(name, bug, effect, None);
    }
    let scene = Scene::new();
    scene.sound(&mut maker);
    scene.refused(&mut maker);
    scene.malformed(&mut maker);
    maker.done()
}

const GRANT: &str = "grant";

fn toy() -> &'static Shape {
    &SHAPES[0]
}

fn seed(number: usize) -> Bytes32 {
    named(&format!("key pair {number}"))
}

fn coins(hop: usize) -> Bytes32 {
    named(&format!("offer {hop}"))
}

fn secret() -> Bytes32 {
    named("proxy's secret")
}

/// A key pair with its encoding.
struct Pair {
    keys: Keys,
    p: Matrix,
    encoded: Vec<u8>,
    name: Bytes32,
}

/// Three pairs, a capsule, and its way from the first to the third.
pub(super) struct Scene {
    pairs: Vec<Pair>,
    capsules: Vec<Capsule>,
    offers: Vec<Rows>,
    rekeys: Vec<Rows>,
    private_offer: Rows,
    private_rekey: Rows,
    content: Bytes32,
}

impl Pair {
    fn new(number: usize) -> Self {
        let keys = key_gen(toy(), &seed(number));
        let p = keys.public();
        let encoded = encode_public(toy(), &p);
        let name = sha256(&[&encoded]);
        Self { keys, p, encoded, name }
    }

    /// What a reader offers to an owner.
    fn offers(&self, owner: &Bytes32, variant: u8, coins: &Bytes32) -> Rows {
        let offering = offer(&self.keys, &self.name, owner, variant, coins);
        let rows = (0..offering.len()).map(|row| offering.row(row)).collect();
        offering.with(rows)
    }
}

impl Scene {
    pub(super) fn new() -> Self {
        let pairs: Vec<Pair> = (0..3).map(Pair::new).collect();
        let (original, content) = encaps(toy(), &pairs[0].p, &named("key id"), &named("message"));
        let (mut capsules, mut offers, mut rekeys) = (vec![original], Vec::new(), Vec::new());
        let grant = named(GRANT);
        for hop in 0..2 {
            let offer = pairs[hop + 1].offers(&pairs[hop].name, PUBLIC, &coins(hop));
            let rekey = accept(&pairs[hop].keys, &offer);
            let reader = &pairs[hop + 1].p;
            capsules.push(re_enc(toy(), (&rekey, &grant), reader, &secret(), &capsules[hop]));
            offers.push(offer);
            rekeys.push(rekey);
        }
        let private_offer = pairs[1].offers(&pairs[0].name, KEY_PRIVATE, &coins(0));
        let private_rekey = accept(&pairs[0].keys, &private_offer);
        Self { pairs, capsules, offers, rekeys, private_offer, private_rekey, content }
    }

    /// The capsules on the way, each with the name of the key that it is under.
    pub(super) fn way(&self) -> Vec<(Vec<u8>, Bytes32)> {
        let names = self.pairs.iter().map(|pair| pair.name);
        self.capsules.iter().map(|capsule| capsule.encode(toy())).zip(names).collect()
    }

    fn rekey(&self, hop: usize) -> Vec<u8> {
        self.rekeys[hop].encode_rekey(toy(), &named(GRANT))
    }

    fn hop(&self, rekey: &[u8], reader: Option<usize>, capsule: &[u8]) -> Value {
        let mut args =
            json!({"rekey": bytes(rekey), "capsule": bytes(capsule), "secret": bytes(secret())});
        if let Some(reader) = reader {
            args["reader"] = bytes(&self.pairs[reader].encoded);
        }
        args
    }

    fn sound(&self, maker: &mut Maker) {
        maker.finding(&["bits-wrong"]);
        let of = ["PRE-1.1", "PRE-1.2"];
        for (number, pair) in self.pairs.iter().enumerate() {
            let args = json!({"set": 0, "seed": bytes(seed(number))});
            let ok = json!({"public_key": bytes(&pair.encoded)});
            maker.valid(format!("pre.key_gen.{number}"), "pre.key_gen", args, ok, &of);
        }
        let messages = [("message", named("message")), ("zeros", [0; 32]), ("ones", [0xff; 32])];
        for (id, message) in messages {
            let key_id = named("key id");
            let (capsule, content) = encaps(toy(), &self.pairs[0].p, &key_id, &message);
            let args = json!({
                "public_key": bytes(&self.pairs[0].encoded), "key_id": bytes(key_id),
                "message": bytes(message),
            });
            let encoded = capsule.encode(toy());
            let ok = json!({"capsule": bytes(&encoded), "digest": bytes(sha256(&[&content]))});
            maker.valid(
                format!("pre.encaps.{id}"),
                "pre.encaps",
                args,
                ok,
                &["PRE-1.2", "PRE-1.4"],
            );
            let (args, ok) = (opening(0, &encoded), json!({"message": bytes(message)}));
            maker.valid(format!("pre.decaps.{id}"), "pre.decaps", args, ok, &of);
        }
        for (hop, offer) in self.offers.iter().enumerate() {
            let args = json!({
                "set": 0, "seed": bytes(seed(hop + 1)), "owner": bytes(self.pairs[hop].name),
                "coins": bytes(coins(hop)), "variant": 0,
            });
            let encoded = offer.encode_offer(toy());
            let ok = json!({"offer": bytes(&encoded)});
            maker.valid(format!("pre.offer.{hop}"), "pre.offer", args, ok, &["PRE-1.2", "PRE-2.1"]);
            let ok = json!({"rekey": bytes(self.rekey(hop))});
            let args = accepting(hop, &encoded);
            maker.valid(
                format!("pre.accept.{hop}"),
                "pre.accept",
                args,
                ok,
                &["PRE-3.2", "PRE-2.1"],
            );
            let before = self.capsules[hop].encode(toy());
            let after = self.capsules[hop + 1].encode(toy());
            let args = self.hop(&self.rekey(hop), Some(hop + 1), &before);
            let ok = json!({"capsule": bytes(&after)});
            let of = ["PRE-2.1", "PRE-5.4"];
            maker.valid(format!("pre.re_encrypt.{hop}"), "pre.re_encrypt", args, ok, &of);
            let ok = json!({"message": bytes(named("message"))});
            let id = format!("pre.decaps.after-{}-hops", hop + 1);
            maker.valid(id, "pre.decaps", opening(hop + 1, &after), ok, &["PRE-6.1"]);
        }
        self.key_private(maker);
        // The file's key is the same after any number of hops: it follows from message and key id.
        assert_eq!(
            self.content,
            sha256(&[b"MKEM\x01", &named("key id"), &named("message")]),
            "the drawing of the file's key"
        );
    }

    fn key_private(&self, maker: &mut Maker) {
        let args = json!({
            "set": 0, "seed": bytes(seed(1)), "owner": bytes(self.pairs[0].name),
            "coins": bytes(coins(0)), "variant": 1,
        });
        let encoded = self.private_offer.encode_offer(toy());
        let ok = json!({"offer": bytes(&encoded)});
        maker.valid("pre.offer.key-private", "pre.offer", args, ok, &["PRE-9.2", "PRE-9.4"]);
        let rekey = self.private_rekey.encode_rekey(toy(), &named(GRANT));
        let ok = json!({"rekey": bytes(&rekey)});
        let args = accepting(0, &encoded);
        maker.valid("pre.accept.key-private", "pre.accept", args, ok, &["PRE-9.2"]);
        let grant = named(GRANT);
        let made = (&self.private_rekey, &grant);
        let after = re_enc(toy(), made, &self.pairs[1].p, &secret(), &self.capsules[0]);
        let args = self.hop(&rekey, None, &self.capsules[0].encode(toy()));
        let ok = json!({"capsule": bytes(after.encode(toy()))});
        maker.valid("pre.re_encrypt.key-private", "pre.re_encrypt", args, ok, &["PRE-9.2"]);
        let ok = json!({"message": bytes(named("message"))});
        let args = opening(1, &after.encode(toy()));
        maker.valid("pre.decaps.key-private", "pre.decaps", args, ok, &["PRE-6.1"]);
        // Under a pseudonym it makes no second hop.
        maker.finding(&["names-unchecked"]);
        let args = self.hop(&self.rekey(1), Some(2), &after.encode(toy()));
        let id = "pre.re_encrypt.under-a-pseudonym";
        maker.invalid(id, "pre.re_encrypt", args, &[Class::Refused], &["PRE-9.4"]);
    }

    fn refused(&self, maker: &mut Maker) {
        let refused = [Class::Refused];
        let capsules: Vec<Vec<u8>> =
            self.capsules.iter().map(|capsule| capsule.encode(toy())).collect();
        maker.finding(&["hops-unbounded"]);
        // Of the third pair to the first, so that only the number of hops is wrong.
        let offer = self.pairs[0].offers(&self.pairs[2].name, PUBLIC, &coins(2));
        let back = accept(&self.pairs[2].keys, &offer).encode_rekey(toy(), &named(GRANT));
        let args = self.hop(&back, Some(0), &capsules[2]);
        maker.invalid("pre.re_encrypt.third-hop", "pre.re_encrypt", args, &refused, &["PRE-1.5"]);

        maker.finding(&["names-unchecked"]);
        let mut wrong = |id: &str, op: &str, args: Value, of: &str| {
            maker.invalid(format!("{op}.{id}"), op, args, &refused, &[of]);
        };
        let hop = |hop: usize, reader, capsule: &[u8]| self.hop(&self.rekey(hop), reader, capsule);
        let op = "pre.re_encrypt";
        wrong("capsule-of-another-owner", op, hop(1, Some(2), &capsules[0]), "PRE-7.4");
        wrong("another-reader", op, hop(0, Some(2), &capsules[0]), "PRE-2.1");
        wrong("no-reader", op, hop(0, None, &capsules[0]), "PRE-2.1");
        let mut foreign = self.capsules[0].clone();
        foreign.owner = named("a stranger's key");
        wrong("fresh-capsule-of-two-names", op, hop(0, Some(1), &foreign.encode(toy())), "PRE-3.3");
        let offer = self.offers[0].encode_offer(toy());
        wrong("another-owner", "pre.accept", accepting(1, &offer), "PRE-3.7");
        wrong("own-offer", "pre.accept", accepting(2, &offer), "PRE-3.7");
        let private = self.private_offer.encode_offer(toy());
        wrong("another-owner-key-private", "pre.accept", accepting(1, &private), "PRE-3.7");

        maker.finding(&["recomputation-missed"]);
        let mut altered = |id: &str, pair: usize, capsule: &Capsule| {
            let (id, args) = (format!("pre.decaps.{id}"), opening(pair, &capsule.encode(toy())));
            maker.invalid(id, "pre.decaps", args, &[Class::Authentication], &["PRE-3.3"]);
        };
        let with = |change: &dyn Fn(&mut Capsule)| {
            let mut capsule = self.capsules[0].clone();
            change(&mut capsule);
            capsule
        };
        altered("another-key", 1, &self.capsules[0]);
        for word in [0, 15] {
            let changed = with(&|c| c.c1[word] = (c.c1[word] + 1) % toy().q());
            altered(&format!("word-{word}-of-c1"), 0, &changed);
        }
        for word in [0, 63] {
            let changed = with(&|c| c.c2[word] = (c.c2[word] + 1) % toy().q());
            altered(&format!("word-{word}-of-c2"), 0, &changed);
        }
        altered("another-message", 0, &with(&|c| c.c2[5] = (c.c2[5] + 0x1000) % toy().q()));
        altered("another-key-id", 0, &with(&|c| c.key_id[0] ^= 1));
        altered("another-name-of-its-owner", 0, &with(&|c| c.owner[0] ^= 1));
        altered("another-name-of-its-holder", 0, &with(&|c| c.holder[31] ^= 1));
        altered("c1-of-zeros", 0, &with(&|c| c.c1.fill(0)));
        altered(
            "unit-vector-as-c1",
            0,
            &with(&|c| {
                c.c1.fill(0);
                c.c1[0] = 1;
            }),
        );
        altered("re-encrypted-as-fresh", 1, &{
            let mut capsule = self.capsules[1].clone();
            capsule.hop = 0;
            capsule
        });
    }

    fn malformed(&self, maker: &mut Maker) {
        maker.finding(&["bound-unchecked"]);
        for set in [9, 255] {
            let args = json!({"set": set, "seed": bytes(seed(0))});
            let id = format!("pre.key_gen.set-{set}");
            maker.invalid(id, "pre.key_gen", args, &[Class::Bound], &["PRE-1.7"]);
        }
        let offering = |set: u8, variant: u8| {
            json!({
                "set": set, "seed": bytes(seed(1)), "owner": bytes(self.pairs[0].name),
                "coins": bytes(coins(0)), "variant": variant,
            })
        };
        maker.invalid(
            "pre.offer.variant-2",
            "pre.offer",
            offering(0, 2),
            &[Class::Bound],
            &["PRE-9.2"],
        );
        maker.invalid(
            "pre.offer.set-9",
            "pre.offer",
            offering(9, 0),
            &[Class::Bound],
            &["PRE-1.7"],
        );
        let capsule = self.capsules[0].encode(toy());
        let with = |at: usize, by: u8| {
            let mut capsule = capsule.clone();
            capsule[at] = by;
            capsule
        };
        let cut = capsule[..capsule.len() - 1].to_vec();
        let longer = [&capsule[..], &[0]].concat();
        let cases: [(&str, Vec<u8>, &[Class], &str); 6] = [
            ("cut", cut, &[Class::Truncated], "STO-1.3"),
            ("longer", longer, &[Class::Trailing], "STO-1.4"),
            ("of-set-9", with(5, 9), &[Class::Variant, Class::Bound], "PRE-1.7"),
            ("of-set-1", with(5, 1), &[Class::Truncated], "PRE-1.7"),
            ("of-three-hops", with(6, 3), &[Class::Bound, Class::Rule], "PRE-1.5"),
            ("of-version-2", with(4, 2), &[Class::Version], "STO-1.2"),
        ];
        for (id, capsule, classes, of) in cases {
            let args = opening(0, &capsule);
            maker.invalid(format!("pre.decaps.{id}"), "pre.decaps", args, classes, &[of]);
            if id == "cut" || id == "of-three-hops" {
                let args = self.hop(&self.rekey(0), Some(1), &capsule);
                maker.invalid(
                    format!("pre.re_encrypt.{id}"),
                    "pre.re_encrypt",
                    args,
                    classes,
                    &[of],
                );
            }
        }
        let mut key = self.pairs[0].encoded.clone();
        key.truncate(100);
        let args = json!({
            "public_key": bytes(key), "key_id": bytes(named("key id")),
            "message": bytes(named("message")),
        });
        maker.invalid(
            "pre.encaps.half-a-key",
            "pre.encaps",
            args,
            &[Class::Truncated],
            &["STO-1.3"],
        );
    }
}

fn opening(pair: usize, capsule: &[u8]) -> Value {
    json!({"set": 0, "seed": bytes(seed(pair)), "capsule": bytes(capsule)})
}

fn accepting(pair: usize, offer: &[u8]) -> Value {
    json!({
        "set": 0, "seed": bytes(seed(pair)), "offer": bytes(offer), "grant": bytes(named(GRANT)),
    })
}
