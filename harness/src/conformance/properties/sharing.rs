//! Proxy re-encryption, with opaque keys and ciphertexts. [PRE-1] [PRE-3] [PRE-5] [PRE-6]

use serde_json::{Value, json};

use super::draw::{bytes, draws, field};
use super::{Property, claim};
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::value;

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "paper.pre.owner-reads-own",
        title: "what is encrypted for a key is decrypted by it, and by no other",
        requirements: &["PRE-1.1"],
        ops: &["paper.pre.keys", "paper.pre.encrypt", "paper.pre.decrypt"],
        check: owner_reads,
    },
    Property {
        id: "paper.pre.reader-reads-what-is-re-encrypted",
        title: "what is re-encrypted for a reader is decrypted by the reader's own key alone",
        requirements: &["PRE-1.1", "PRE-3.2", "PRE-6.1"],
        ops: &[
            "paper.pre.keys",
            "paper.pre.encrypt",
            "paper.pre.decrypt",
            "paper.pre.offer",
            "paper.pre.rekey",
            "paper.pre.re_encrypt",
        ],
        check: reader_reads,
    },
    Property {
        id: "paper.pre.proxy-does-not-read",
        title: "neither a re-encryption key nor a ciphertext shows the message in the clear",
        requirements: &["PRE-5.2"],
        ops: &[
            "paper.pre.keys",
            "paper.pre.encrypt",
            "paper.pre.decrypt",
            "paper.pre.offer",
            "paper.pre.rekey",
            "paper.pre.re_encrypt",
        ],
        check: proxy_does_not_read,
    },
    Property {
        id: "paper.pre.two-seeds-give-two-ciphertexts",
        title: "one message encrypted with two seeds gives two ciphertexts, so that nobody can try messages",
        requirements: &["PRE-1.1", "PRE-5.2"],
        ops: &["paper.pre.keys", "paper.pre.encrypt"],
        check: two_seeds,
    },
];

/// Messages of a case.
const MESSAGES: usize = 3;

struct Keys {
    public: Vec<u8>,
    private: Vec<u8>,
}

fn keys(subject: &mut Subject<'_>, seed: &[u8]) -> Result<Keys, Interrupt> {
    let result = subject.call("paper.pre.keys", json!({"seed": value::bytes(seed)}))?;
    let of = |name| field(&result, name, |bytes| bytes.bytes());
    Ok(Keys { public: of("public")?, private: of("private")? })
}

fn encrypt(
    subject: &mut Subject<'_>,
    public: &[u8],
    message: &[u8],
    seed: &[u8],
) -> Result<Vec<u8>, Interrupt> {
    let args = json!({"public": value::bytes(public), "message": value::bytes(message), "seed": value::bytes(seed)});
    let result = subject.call("paper.pre.encrypt", args)?;
    field(&result, "ciphertext", |bytes| bytes.bytes())
}

fn decrypt_args(private: &[u8], ciphertext: &[u8]) -> Value {
    json!({"private": value::bytes(private), "ciphertext": value::bytes(ciphertext)})
}

fn decrypt(
    subject: &mut Subject<'_>,
    private: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, Interrupt> {
    let result = subject.call("paper.pre.decrypt", decrypt_args(private, ciphertext))?;
    field(&result, "message", |bytes| bytes.bytes())
}

/// A wrong key yields another message, or a rejection.
fn does_not_read(
    subject: &mut Subject<'_>,
    private: &[u8],
    ciphertext: &[u8],
    message: &[u8],
    who: &str,
) -> Result<(), Interrupt> {
    use crate::conformance::protocol::Reply;
    match subject.ask("paper.pre.decrypt", decrypt_args(private, ciphertext))? {
        Reply::Ok(result) => {
            let found = field(&result, "message", |bytes| bytes.bytes())?;
            claim(found != message, || format!("{who} decrypts the message"))
        }
        _ => Ok(()),
    }
}

fn rekey(
    subject: &mut Subject<'_>,
    owner: &Keys,
    reader: &Keys,
    seed: &[u8],
) -> Result<Vec<u8>, Interrupt> {
    let args = json!({
        "private": value::bytes(&reader.private), "public": value::bytes(&owner.public), "seed": value::bytes(seed),
    });
    let result = subject.call("paper.pre.offer", args)?;
    let offer = field(&result, "offer", |bytes| bytes.bytes())?;
    let args = json!({
        "private": value::bytes(&owner.private), "public": value::bytes(&reader.public),
        "offer": value::bytes(&offer), "seed": value::bytes(seed),
    });
    let result = subject.call("paper.pre.rekey", args)?;
    field(&result, "rekey", |bytes| bytes.bytes())
}

fn re_encrypt(
    subject: &mut Subject<'_>,
    rekey: &[u8],
    ciphertext: &[u8],
    seed: &[u8],
) -> Result<Vec<u8>, Interrupt> {
    let args = json!({
        "rekey": value::bytes(rekey), "ciphertext": value::bytes(ciphertext), "seed": value::bytes(seed),
    });
    let result = subject.call("paper.pre.re_encrypt", args)?;
    field(&result, "ciphertext", |bytes| bytes.bytes())
}

fn owner_reads(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let owner = keys(subject, &bytes(&mut draw, 32))?;
    let other = keys(subject, &bytes(&mut draw, 32))?;
    claim(owner.private != other.private, || "two seeds give one private key".to_owned())?;
    for _ in 0..MESSAGES {
        let message = bytes(&mut draw, 32);
        let ciphertext = encrypt(subject, &owner.public, &message, &bytes(&mut draw, 32))?;
        let found = decrypt(subject, &owner.private, &ciphertext)?;
        claim(found == message, || "the owner decrypts another message".to_owned())?;
        does_not_read(subject, &other.private, &ciphertext, &message, "somebody else's key")?;
    }
    Ok(format!("{MESSAGES} messages"))
}

fn two_seeds(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let owner = keys(subject, &bytes(&mut draw, 32))?;
    let message = bytes(&mut draw, 32);
    let one = encrypt(subject, &owner.public, &message, &bytes(&mut draw, 32))?;
    let other = encrypt(subject, &owner.public, &message, &bytes(&mut draw, 32))?;
    claim(one != other, || "the ciphertext does not depend on the seed".to_owned())?;
    Ok(String::new())
}

fn reader_reads(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let owner = keys(subject, &bytes(&mut draw, 32))?;
    let reader = keys(subject, &bytes(&mut draw, 32))?;
    let other = keys(subject, &bytes(&mut draw, 32))?;
    let rekey = rekey(subject, &owner, &reader, &bytes(&mut draw, 32))?;
    for _ in 0..MESSAGES {
        let message = bytes(&mut draw, 32);
        let ciphertext = encrypt(subject, &owner.public, &message, &bytes(&mut draw, 32))?;
        does_not_read(
            subject,
            &reader.private,
            &ciphertext,
            &message,
            "the reader, before re-encryption,",
        )?;
        let for_reader = re_encrypt(subject, &rekey, &ciphertext, &bytes(&mut draw, 32))?;
        let found = decrypt(subject, &reader.private, &for_reader)?;
        claim(found == message, || "the reader decrypts another message".to_owned())?;
        does_not_read(subject, &other.private, &for_reader, &message, "a third party's key")?;
    }
    Ok(format!("{MESSAGES} messages"))
}

fn proxy_does_not_read(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let owner = keys(subject, &bytes(&mut draw, 32))?;
    let reader = keys(subject, &bytes(&mut draw, 32))?;
    let rekey = rekey(subject, &owner, &reader, &bytes(&mut draw, 32))?;
    let holds = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).any(|part| part == needle);
    for (name, secret) in [("owner", &owner.private), ("reader", &reader.private)] {
        claim(secret.is_empty() || !holds(&rekey, secret), || {
            format!("the re-encryption key holds the {name}'s private key")
        })?;
    }
    for _ in 0..MESSAGES {
        let message = bytes(&mut draw, 32);
        let ciphertext = encrypt(subject, &owner.public, &message, &bytes(&mut draw, 32))?;
        let for_reader = re_encrypt(subject, &rekey, &ciphertext, &bytes(&mut draw, 32))?;
        for (name, seen) in [("original", &ciphertext), ("re-encrypted", &for_reader)] {
            claim(!holds(seen, &message), || format!("the {name} ciphertext holds the message"))?;
            does_not_read(
                subject,
                &rekey,
                seen,
                &message,
                "the re-encryption key, taken for a private one,",
            )?;
        }
    }
    Ok(format!("{MESSAGES} messages; that no other way exists is not shown by trying"))
}
