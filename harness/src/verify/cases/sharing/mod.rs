//! A file of the run, shared among processes that hold their secrets apart; then everybody who is to
//! read nothing, and the scheme itself over many keys. [PRE-1] [PRE-3] [PRE-5] [PRE-6] [PRE-7] [PRE-8]

mod answers;
mod defects;
mod flow;
#[cfg(test)]
mod tests;

use std::process::Command;
use std::time::Duration;

use mdsm_core::crypto::seal;
use mdsm_core::ledger::Content;
use mdsm_core::params::INLINE_CONTENT_BYTES_MAX;
use mdsm_core::reencryption::{Capsule, Purpose, Variant};

use self::flow::{Someone, Stage, Talk, begin, delivered, done, read, refuses, share};
use super::super::world::World;
use super::{Case, Check, Checker, Fault, Means, case, hold, nothing, text};
use crate::input::Input;
use crate::party::{Process, Refusal, Reply, Request, Role};

/// How long a party may take for an answer; the longest ones take less than a second for 256 MiB.
const ANSWER: Duration = Duration::from_secs(60);
/// Files above this are left out where there is a smaller one: the chapter is to take seconds.
const BYTES_WISHED: u64 = 16 * 1_024 * 1_024;

/// A case of one shared file.
type Scene = fn(Stage<'_>, &[u8]) -> Check;

pub(super) fn cases(inputs: &[Input], means: &Means) -> Vec<Case> {
    let given: Vec<usize> = (0..)
        .zip(inputs)
        .filter(|(_, input)| !input.group().starts_with("/generated/"))
        .map(|(index, _)| index)
        .collect();
    let scene = |id: &str, title: &str, requirements, size: Size, scene: Scene| Case {
        id: id.to_owned(),
        title: title.to_owned(),
        requirements,
        check: staged(means, &given, id, size, scene),
    };
    vec![
        scene(
            "sharing.three-processes.large",
            "a sealed file goes from its owner's process through a proxy's to a reader's",
            &[
                "PRE-1.1", "PRE-3.2", "PRE-3.3", "PRE-3.5", "PRE-5.4", "PRE-6.1", "PRE-6.2",
                "PRE-8.2",
            ],
            Size::Large,
            |stage, file| three_processes(stage, file, Variant::Public),
        ),
        scene(
            "sharing.three-processes.small",
            "so does one of inline size, by a key that does not name the reader",
            &[
                "PRE-1.1", "PRE-3.2", "PRE-3.3", "PRE-3.5", "PRE-5.4", "PRE-6.1", "PRE-6.2",
                "PRE-8.2", "PRE-9.2",
            ],
            Size::Small,
            |stage, file| three_processes(stage, file, Variant::KeyPrivate),
        ),
        scene(
            "sharing.offer-once",
            "an offer makes one key, for the owner that it was made for",
            &["PRE-3.4", "PRE-3.7"],
            Size::Small,
            offer_once,
        ),
        scene(
            "sharing.approved-only",
            "a proxy re-encrypts what the owner approved, and nothing else",
            &["PRE-1.8", "PRE-3.3"],
            Size::Small,
            approved_only,
        ),
        scene(
            "sharing.nobody-else",
            "another reader, the proxy and another owner open nothing",
            &["PRE-5.2", "PRE-6.1"],
            Size::Small,
            nobody_else,
        ),
        scene(
            "sharing.revocation",
            "after the owner takes a grant back nothing more is delivered; what was still opens",
            // The grant is a bare digest here; the chapter wants it as a booked record.
            &[],
            Size::Small,
            revocation,
        ),
        case(
            "sharing.many-keys",
            "every key pair of every set shares, in both variants",
            &["PRE-1.1", "PRE-2.3", "PRE-9.2"],
            answers::many_keys,
        ),
        case(
            "sharing.kernels",
            "every kernel of this CPU re-encrypts to the same bytes",
            &["PRE-1.6"],
            answers::kernels,
        ),
        case(
            "sharing.printed-key",
            "the key as the paper prints it leaves nothing of the message",
            &["PRE-2.2"],
            defects::printed_key,
        ),
        case(
            "sharing.named-reader",
            "a key that holds the reader's public key names the reader, its private twin nobody",
            &["PRE-9.1", "PRE-9.2"],
            defects::named_reader,
        ),
        case(
            "sharing.known-answers",
            "fixed seeds give the bytes that are written down, on every CPU",
            &["PRE-1.2"],
            answers::known_answers,
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Small,
    Large,
}

/// A check that starts processes of this program and shares a file of the run among them.
fn staged(means: &Means, given: &[usize], id: &str, size: Size, scene: Scene) -> Checker {
    let (means, given, case) = (means.clone(), given.to_vec(), id.to_owned());
    Box::new(move |world| {
        let (name, file) = chosen(world, &given, size)?;
        let start = |name: &str, role: Role| {
            let mut command = Command::new(&means.program);
            command.args(["party", &role.to_string()]);
            let process = Process::start(name, &mut command, ANSWER, &means.stop)?;
            Ok(Box::new(process) as Box<dyn Talk>)
        };
        let stage = Stage { start: &start, seed: world.seed, case: &case };
        let seen = scene(stage, &file).map_err(|fault| fault.about(&name))?;
        Ok(format!("{name}, {} bytes: {seen}", file.len()))
    })
}

/// A file of this size as chain and store hold it; one of those given rather than a generated one.
fn chosen(world: &World, given: &[usize], size: Size) -> Result<(String, Vec<u8>), Fault> {
    let is_sealed =
        |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX) > INLINE_CONTENT_BYTES_MAX;
    let files = world.taken.iter().filter(|file| is_sealed(file.bytes) == (size == Size::Large));
    let best = files.max_by_key(|file| {
        let wished = file.bytes <= BYTES_WISHED;
        let bytes = if wished { i128::from(file.bytes) } else { -i128::from(file.bytes) };
        (given.contains(&file.input), wished, bytes, std::cmp::Reverse(file.input))
    });
    let file = best.ok_or_else(|| nothing(&format!("no {size:?} file was taken")))?;
    let envelope = world.envelope(&file.record_id).ok_or("the record is on no block")?;
    let bytes = match (envelope.record.content(), &file.key) {
        (Content::Inline(bytes), _) => bytes.to_vec(),
        (Content::Stored(digest), Some(key)) => {
            let sealed = world.archive.object(digest)?.ok_or("the sealed file is gone")?;
            seal::open(&sealed, key).map_err(text)?
        }
        (Content::Stored(_), None) => return Err("the key of the file is gone".into()),
    };
    Ok((file.name.clone(), bytes))
}

/// Owner, proxy and reader.
fn three(stage: Stage<'_>) -> Result<[Someone; 3], Fault> {
    Ok([
        begin(stage, "owner", Role::Owner)?,
        begin(stage, "proxy", Role::Proxy)?,
        begin(stage, "reader", Role::Reader)?,
    ])
}

fn three_processes(stage: Stage<'_>, file: &[u8], variant: Variant) -> Check {
    let [mut owner, mut proxy, mut reader] = three(stage)?;
    let shared = share([&mut owner, &mut proxy, &mut reader], file, variant)?;
    let reply = reader.open(&shared, [&owner, &proxy])?;
    read("reader", reply, file)?;
    // The coins of a re-encryption follow from what goes in.
    let again =
        delivered(&mut proxy, (shared.grant, owner.signer), (&shared.capsule, &shared.approval))?;
    hold(again == shared.delivery, || "proxy: another delivery of the same capsule".to_owned())?;
    Ok(format!("opened by the reader, capsule {}", shared.delivery.before))
}

fn offer_once(stage: Stage<'_>, file: &[u8]) -> Check {
    let [mut owner, mut proxy, mut reader] = three(stage)?;
    let mut other = begin(stage, "another owner", Role::Owner)?;
    let shared = share([&mut owner, &mut proxy, &mut reader], file, Variant::Public)?;
    let again = owner.accept(&shared.offer, [&reader, &proxy], shared.grant)?;
    refuses("owner", "the same offer", again, Refusal::Spent)?;
    let another = reader.offer(&owner, Variant::Public)?;
    let reply = other.accept(&another, [&reader, &proxy], shared.grant)?;
    refuses("another owner", "an offer to the first one", reply, Refusal::Parcel)?;
    let misled = reader.offer_for(&other, &owner, Variant::Public)?;
    let reply = owner.accept(&misled, [&reader, &proxy], shared.grant)?;
    refuses("owner", "an offer made for another key", reply, Refusal::Offer)?;
    let reply = owner.accept(&another, [&proxy, &proxy], shared.grant)?;
    refuses("owner", "an offer from somebody else", reply, Refusal::Parcel)?;
    let reply = owner.accept(&another, [&reader, &proxy], shared.grant)?;
    owner.parcel("Accept", reply, Purpose::ReKey, &proxy)?;
    Ok("four offers refused: spent, to or for another owner, from another sender; a fresh one taken"
        .into())
}

fn approved_only(stage: Stage<'_>, file: &[u8]) -> Check {
    let [mut owner, mut proxy, mut reader] = three(stage)?;
    let mut other = begin(stage, "another owner", Role::Owner)?;
    let shared = share([&mut owner, &mut proxy, &mut reader], file, Variant::Public)?;
    let (of_other, approved_by_other, _) = other.seal(file)?;
    let (second, second_approval, _) = owner.seal(file)?;
    let hopped = shared.delivery.capsule.clone();
    let mut words = shared.capsule.words().to_vec();
    words[0] ^= 1;
    let Capsule { key_id, owner: sealer, holder, .. } = shared.capsule;
    let changed = Capsule::new(flow::SET, 0, key_id, [sealer, holder], words).map_err(text)?;
    let grant = (shared.grant, owner.signer);
    for (what, capsule, approval) in [
        ("a changed capsule", &changed, &shared.approval),
        ("the approval of another capsule", &second, &shared.approval),
        ("another owner's capsule", &of_other, &approved_by_other),
        ("a capsule that made a hop", &hopped, &shared.approval),
    ] {
        let reply = proxy.deliver(grant, (capsule, approval))?;
        refuses("proxy", what, reply, Refusal::NotAdmitted)?;
    }
    let second = (&second, &second_approval);
    for unknown in [(shared.delivery.before, owner.signer), (shared.grant, other.signer)] {
        let reply = proxy.deliver(unknown, second)?;
        refuses("proxy", "a grant that it has no key for", reply, Refusal::NoKey)?;
    }
    delivered(&mut proxy, grant, second)?;
    Ok("four capsules and two grants refused; the owner's second capsule delivered".to_owned())
}

fn nobody_else(stage: Stage<'_>, file: &[u8]) -> Check {
    let [mut owner, mut proxy, mut reader] = three(stage)?;
    let mut other_reader = begin(stage, "another reader", Role::Reader)?;
    let mut other_owner = begin(stage, "another owner", Role::Owner)?;
    let mut other_proxy = begin(stage, "another proxy", Role::Proxy)?;
    let shared = share([&mut owner, &mut proxy, &mut reader], file, Variant::Public)?;
    let (of_other, _, sealed_by_other) = other_owner.seal(file)?;
    let received = &shared.delivery.capsule;
    let mut attempts = 0;
    for somebody in [&mut other_reader, &mut proxy, &mut other_owner, &mut other_proxy] {
        for taken in [&shared.capsule, received] {
            let name = somebody.name().to_owned();
            let reply = somebody.attempt(owner.key(), [&shared.capsule, taken], &shared.sealed)?;
            refuses(&name, "to open the file", reply, Refusal::Capsule)?;
            attempts += 1;
        }
    }
    let reply = other_reader.open(&shared, [&owner, &proxy])?;
    // By the name in it, before anything is decrypted.
    refuses("another reader", "the reader's delivery", reply, Refusal::NotAdmitted)?;
    let reply = other_proxy.keep(&shared.rekey, [&owner, &reader])?;
    refuses("another proxy", "the key of the proxy", reply, Refusal::Parcel)?;
    // The reader is told nothing but by a delivery, and of nothing but this file.
    let own = [&shared.capsule, &shared.capsule];
    let reply = reader.attempt(owner.key(), own, &shared.sealed)?;
    refuses("reader", "a capsule that was not delivered", reply, Refusal::Capsule)?;
    let reply = reader.attempt(owner.key(), [&shared.capsule, received], &sealed_by_other)?;
    refuses("reader", "the file of another owner", reply, Refusal::File)?;
    // Those who are to read do, so that the refusals above mean something.
    read("owner", owner.attempt(owner.key(), own, &shared.sealed)?, file)?;
    let own = [&of_other, &of_other];
    read("another owner", other_owner.attempt(other_owner.key(), own, &sealed_by_other)?, file)?;
    read("reader", reader.open(&shared, [&owner, &proxy])?, file)?;
    Ok(format!("{} attempts refused; the three who may read do", attempts + 4))
}

fn revocation(stage: Stage<'_>, file: &[u8]) -> Check {
    let [mut owner, mut proxy, mut reader] = three(stage)?;
    let mut other = begin(stage, "another owner", Role::Owner)?;
    let shared = share([&mut owner, &mut proxy, &mut reader], file, Variant::Public)?;
    let grant = shared.grant;
    let of_owner = (grant, owner.signer);
    let capsule = (&shared.capsule, &shared.approval);
    let signature = |owner: &mut Someone| match owner.ask(Request::Revoke { grant })? {
        Reply::Revocation { signature } => Ok(signature),
        other => {
            Err(Fault::Broken(format!("{}: answered Revoke with {}", owner.name(), other.name())))
        }
    };
    let reply = proxy.keep(&shared.rekey, [&owner, &reader])?;
    refuses("proxy", "the key once more", reply, Refusal::Kept)?;
    let by_other = signature(&mut other)?;
    let request = Request::Revoked { grant, owner: owner.signer, signature: by_other };
    refuses("proxy", "another owner's revocation", proxy.ask(request)?, Refusal::Signature)?;
    // Another owner may take back a grant of its own that has the same name.
    let request = Request::Revoked { grant, owner: other.signer, signature: by_other };
    done("proxy".to_owned(), "Revoked", proxy.ask(request)?)?;
    delivered(&mut proxy, of_owner, capsule)?;
    let (owner_id, by_owner) = (owner.signer, signature(&mut owner)?);
    let request = Request::Revoked { grant, owner: owner_id, signature: by_owner };
    done("proxy".to_owned(), "Revoked", proxy.ask(request)?)?;
    refuses("proxy", "a revoked grant", proxy.deliver(of_owner, capsule)?, Refusal::Revoked)?;
    let reply = proxy.keep(&shared.rekey, [&owner, &reader])?;
    refuses("proxy", "the erased key once more", reply, Refusal::Revoked)?;
    refuses("proxy", "a revoked grant", proxy.deliver(of_owner, capsule)?, Refusal::Revoked)?;
    // Revocation stops the future: this was delivered before.
    read("reader", reader.open(&shared, [&owner, &proxy])?, file)?;
    Ok("nothing more is delivered; what was delivered before still opens".to_owned())
}
