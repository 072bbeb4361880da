//! Capsules that somebody made up: no guard lets them through, and nothing panics. [PRE-1] [PRE-3]
//! [PRE-6]
//!
//! Input: the first byte chooses where the capsule comes from, the second one its hops, the third one
//! whose key it names; the rest is words, or changes of the words of an honest capsule.
//!
//! Claims: an owner approves what encapsulation gives for the message inside, and nothing else; a
//! capsule is admitted by its own approval only; what was approved opens for its reader, in both
//! variants and after a second hop, and for nobody else; whatever opens gives the key of the original.

use std::sync::LazyLock;

use mdsm_core::crypto::Identified as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins, open as open_file, seal};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admission, Approval, Capsule, Delivery, Message, Offer, ProxySecret, PublicKey, ReKey,
    SecretKey, Set, SpentOffers, Variant, WarmKey, approve, bare, encapsulate, generate, open,
};
use mdsm_core::types::{Digest, KeyId, Signature};

use super::{Verdict, claim};

const SET: Set = Set::Toy16;
const KEY_ID: KeyId = KeyId::new([0x44; 32]);

type Pair = (SecretKey, PublicKey);

/// Everybody, and one file that was shared as it should be.
struct Stage {
    owner: Pair,
    reader: Pair,
    other: Pair,
    signing: SigningKey,
    proxy: SigningKey,
    coins: ProxySecret,
    /// From the owner to the reader, in both variants.
    keys: [ReKey; 2],
    /// From the reader to the other one.
    onward: ReKey,
    original: Capsule,
    approval: Approval,
    admission: Admission,
    content: Vec<u8>,
    delivered: Capsule,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let [owner, reader, other] = [1, 2, 3].map(|seed| generate(SET, &[seed; 32]));
    let (signing, proxy) = (SigningKey::from_seed(&[4; 32]), SigningKey::from_seed(&[5; 32]));
    let key = |from: &Pair, to: &Pair, variant| {
        let offer = Offer::new(&to.0, from.1.digest(), variant, &[6; 32]);
        let accepted = offer.accept(&from.0, Digest::new([7; 32]), &mut SpentOffers::default());
        accepted.expect("an offer to this owner")
    };
    let keys = [Variant::Public, Variant::KeyPrivate].map(|variant| key(&owner, &reader, variant));
    let onward = key(&reader, &other, Variant::Public);
    let (original, content) = encapsulate(&owner.1, KEY_ID, &Message::new([0x5a; 32]));
    let approved = approve((&owner.0, &owner.1), &original, &signing);
    let (approval, _) = approved.expect("sealed above");
    let admission = approval.check(&signing.owner(), owner.1.digest()).expect("signed above");
    let admitted = admission.admit(original.clone()).expect("approved above");
    let coins = ProxySecret::new([8; 32]);
    let warm = WarmKey::new(&keys[0], Some(&reader.1)).expect("its reader's key");
    let delivered = warm.reencrypt(&coins, &admitted).expect("it has made no hop");
    drop(warm);
    Stage {
        content: print(&content),
        owner,
        reader,
        other,
        signing,
        proxy,
        coins,
        keys,
        onward,
        original,
        approval,
        admission,
        delivered,
    }
});

/// What tells one key of a file from another, since keys show nothing.
fn print(key: &ContentKey) -> Vec<u8> {
    let coins = SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
    seal(b"file", key, coins).expect("a short file")
}

/// Holds everything that takes a capsule to the claims.
pub fn reencrypt(bytes: &[u8]) -> Verdict {
    let stage = &*STAGE;
    let Some(capsule) = made_up(stage, bytes)? else { return Ok(()) };
    let owner = (&stage.owner.0, &stage.owner.1);
    let key = stage.owner.1.digest();
    let message = bare::decrypt(owner.0, &capsule);
    let (again, _) = encapsulate(owner.1, capsule.key_id, &message);
    let is_sound = again == capsule;
    let approved = approve(owner, &capsule, &stage.signing);
    claim(approved.is_ok() == is_sound, || {
        format!("reencrypt: {approved:?}, for a capsule that is one: {is_sound}")
    })?;
    let own = open(owner.0, owner.1, &capsule, &capsule);
    claim(own.is_ok() == is_sound, || format!("reencrypt: the owner gets {own:?}"))?;

    // The approval of the original admits the original.
    let is_original = capsule == stage.original;
    claim(stage.admission.admit(capsule.clone()).is_ok() == is_original, || {
        "reencrypt: admitted by another capsule's approval".to_owned()
    })?;
    let moved = Approval { capsule: capsule.id(), ..stage.approval.clone() };
    let moved = moved.check(&stage.signing.owner(), key);
    claim(moved.is_ok() == is_original, || {
        "reencrypt: a signature holds for another capsule".to_owned()
    })?;
    if let Ok((approval, content)) = approved {
        shared(stage, &capsule, &approval, &content)?;
    } else {
        without_guards(stage, &capsule)?;
    }
    delivered(stage, capsule)
}

/// An approved capsule reaches its reader and nobody else.
fn shared(stage: &Stage, capsule: &Capsule, approval: &Approval, content: &ContentKey) -> Verdict {
    let said = |what: &'static str| move |error: String| format!("reencrypt: {what}: {error}");
    let admission = approval.check(&stage.signing.owner(), stage.owner.1.digest());
    let admission = admission.map_err(|error| said("an approval")(error.to_string()))?;
    let admitted = admission.admit(capsule.clone());
    let admitted = admitted.map_err(|error| said("admission")(error.to_string()))?;
    for key in &stage.keys {
        let received = WarmKey::cold(key, Some(&stage.reader.1))
            .and_then(|warm| warm.reencrypt(&stage.coins, &admitted))
            .map_err(|error| said("re-encryption")(error.to_string()))?;
        let opened = open(&stage.reader.0, &stage.owner.1, capsule, &received);
        let opened = opened.map_err(|error| said("opening")(error.to_string()))?;
        claim(open_file(&print(content), &opened).is_ok(), || {
            "reencrypt: another key of the file came out".to_owned()
        })?;
        for (who, pair) in [("another reader", &stage.other), ("the owner", &stage.owner)] {
            let opened = open(&pair.0, &stage.owner.1, capsule, &received);
            claim(opened.is_err(), || format!("reencrypt: {who} opens the reader's capsule"))?;
        }
    }
    Ok(())
}

/// What no owner approves, once it is re-encrypted against all rules, opens for nobody.
fn without_guards(stage: &Stage, capsule: &Capsule) -> Verdict {
    if usize::from(capsule.hop()) == SET.parameters().hops_max() {
        return Ok(());
    }
    let warm = WarmKey::cold(&stage.keys[1], None).expect("a key-private key needs no other");
    let received = bare::reencrypt(&warm, capsule, &[9; 32]);
    for (original, pair) in [(capsule, &stage.reader), (&received, &stage.reader)] {
        let opened = open(&pair.0, &stage.owner.1, original, &received);
        claim(opened.is_err(), || "reencrypt: what nobody approved opens".to_owned())?;
    }
    Ok(())
}

/// A proxy signs the capsule as its delivery, true or not: nobody panics, and whatever opens is the
/// owner's file.
fn delivered(stage: &Stage, capsule: Capsule) -> Verdict {
    let [grant, before, after] = [Digest::new([7; 32]), stage.original.id(), capsule.id()];
    let statement = [b"MDLM\x01", &grant.as_bytes()[..], before.as_bytes(), after.as_bytes()];
    let signature: Signature = stage.proxy.sign(&statement.concat());
    let proxy = stage.proxy.owner();
    let delivery = Delivery { grant, before, capsule, proxy, signature };
    let original = stage.admission.admit(stage.original.clone());
    let before = original.map_err(|error| format!("reencrypt: {error}"))?;
    let reader = stage.reader.1.digest();
    let checked = delivery.check(&proxy, [grant, reader], &before);
    let capsule = delivery.capsule;
    let names = (capsule.set(), capsule.hop(), capsule.key_id, capsule.owner, capsule.holder);
    let original = &stage.original;
    let due = (original.set(), 1, original.key_id, original.owner, reader);
    claim(checked.is_ok() == (names == due), || {
        format!("reencrypt: a delivery of {names:?}: {checked:?}")
    })?;
    let theirs = open(&stage.reader.0, &stage.owner.1, &stage.original, &capsule);
    claim(
        theirs.is_err() || theirs.is_ok_and(|key| open_file(&stage.content, &key).is_ok()),
        || "reencrypt: a delivery opens to another key".to_owned(),
    )?;
    let Ok(admitted) = checked else { return Ok(()) };
    let (onward, next) = (&stage.onward, Some(&stage.other.1));
    let received =
        WarmKey::cold(onward, next).and_then(|warm| warm.reencrypt(&stage.coins, &admitted));
    let is_readers = admitted.capsule().holder == stage.reader.1.digest();
    claim(received.is_ok() == is_readers, || format!("reencrypt: a second hop: {received:?}"))?;
    let Ok(received) = received else { return Ok(()) };
    let opened = open(&stage.other.0, &stage.owner.1, &stage.original, &received);
    let is_honest = *admitted.capsule() == stage.delivered;
    claim(opened.is_ok() || !is_honest, || {
        "reencrypt: an honest second hop does not open".to_owned()
    })?;
    claim(
        opened.is_err() || opened.is_ok_and(|key| open_file(&stage.content, &key).is_ok()),
        || "reencrypt: a second hop opens to another key".to_owned(),
    )
}

/// The capsule that the input describes.
fn made_up(stage: &Stage, bytes: &[u8]) -> Result<Option<Capsule>, String> {
    let Some((&[choice, hop, names], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let whose = |number: u8| match number % 5 {
        0 => stage.owner.1.digest(),
        1 => stage.reader.1.digest(),
        2 => stage.keys[1].reader(),
        3 => stage.other.1.digest(),
        _ => Digest::new([number; 32]),
    };
    let (owner, holder) = (whose(names & 15), whose(names >> 4));
    let honest = match choice % 4 {
        // The rest is words.
        0 => None,
        1 => Some(stage.original.clone()),
        2 => Some(stage.delivered.clone()),
        // An honest capsule of another message.
        _ => {
            let message =
                Message::new(std::array::from_fn(|at| rest.get(at).copied().unwrap_or(0)));
            Some(encapsulate(&stage.owner.1, KeyId::new([choice; 32]), &message).0)
        }
    };
    let (key_id, words) = match (&honest, choice % 4) {
        (None, _) => {
            let mut pairs = rest.chunks(2).map(|pair| {
                u32::from(pair[0]) | pair.get(1).map_or(0, |high| u32::from(*high) << 8)
            });
            (KEY_ID, (0..80).map(|_| pairs.next().unwrap_or(0)).collect())
        }
        (Some(capsule), 3) => (capsule.key_id, capsule.words().to_vec()),
        (Some(capsule), _) => {
            let mut words = capsule.words().to_vec();
            for change in rest.chunks_exact(3) {
                let place = usize::from(change[0]) % words.len();
                words[place] ^= u32::from(u16::from_le_bytes([change[1], change[2]]));
            }
            (capsule.key_id, words)
        }
    };
    let made = Capsule::new(SET, hop, key_id, [owner, holder], words);
    claim(made.is_ok() == (hop <= 2), || format!("reencrypt: {hop} hops: {made:?}"))?;
    Ok(made.ok())
}
