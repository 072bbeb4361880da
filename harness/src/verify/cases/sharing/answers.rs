//! The scheme over many keys, and the bytes that fixed seeds give.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Identified as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins, open as open_file, seal};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admitted, Backend, Capsule, Message, Offer, OpenError, ProxySecret, PublicKey, ReKey,
    SecretKey, Set, SpentOffers, Variant, WarmKey, approve, encapsulate, generate, open,
};
use mdsm_core::types::{Digest, KeyId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;

use super::super::super::world::World;
use super::super::{Check, Fault, hold, refused, text};
use crate::seed::Seed;

/// Key pairs of Toy16, which take no time.
const PAIRS_TOY: u32 = 200;
/// Key pairs of every other set.
const PAIRS: u32 = 3;

/// Capsules that go through a key at once: a full tile of the kernels, and one that is not.
const SEVERAL: usize = 13;

/// What fixed seeds give: the SHA-256 of the public key, the capsule, the re-encryption key of variant
/// Public, and the capsules that come out of it and of its key-private twin. The same on every CPU,
/// hence with every kernel.
const ANSWERS: [(Set, [&str; 5]); 9] = [
    (
        Set::Toy16,
        [
            "b0e1c2e43d18195a7db7fdc7de2bdaf4305359dba8e35055ebf7341dc9b7e9b1",
            "1aa2b818e6226fc71bb8c49578cd6c68d8397b72f5fdb4566555da2445c80d4d",
            "a5d17cdc610aee0e33204b51ba1b1698c3a3bb9e993a84cad1898232cd2c660b",
            "201fa837f0d00fcccaa37ca9aec9048de660009378bd3eff34c97fc8c4b6c672",
            "d3ab17d3c3aaa7944e7d4f2d736ae77fc163daebda9339d633cf8e29210b649e",
        ],
    ),
    (
        Set::S704,
        [
            "13d4233224a6d1005014cc8473ad54c5b8a68e02d488fb0bc6cbec96dc8b761e",
            "b5498af9c6eb5b009dd289958a29c14fd9fda9dfa9c204db04c7870759edb748",
            "942c01e021d6b8c7cf9da1083093f19044b8144d487c352093c9490e8f008132",
            "dd31155fa6c004768e62359efb50f4d31bf67ffa4aca7895eee183783a104a10",
            "69f9612da1998953718cc21ac0edaa8a45fa3013af290cd52c276f5f2a5d3ced",
        ],
    ),
    (
        Set::S704x3,
        [
            "9d76ed1928781ea49d880b16cd5d1539d4297d837930e6fa35f693af3c83ea36",
            "713ed47b6cb3e315be1cadafd1d13ef3e3ea90a5224bf6c43b903d438c046845",
            "1beaccae075e8218e51534aa6f1dc86b052e611a2042452bebb94cf39bbe9274",
            "349936bddbb058022e79e23470ded869c6009e035cf31591e8b46483a5bba1ed",
            "32800873015bcf635b0a49753ab67097e15563cc665775fed31367860352dd31",
        ],
    ),
    (
        Set::S976,
        [
            "bff07d250de178ed1e3039bcf0e94a7dd9318a1dbeb87e7ca3179a490790aa01",
            "e25597c6f77a80bc3ad8ff3313c749afb13684b3d505bdf274c52f2f7e09c536",
            "0415ad2fef904277fcfeb9a28962ec17b29e0a5fd635069caa4ec085da93ac77",
            "ef7e4d85bfc47451e4b05a5aada47f685c5dc834cdcb4571056ff9aff39e6af6",
            "bb295f6b81ea54a517f198e91a9c51e25be75ee41aaab4a0bd756b54dc01b4cd",
        ],
    ),
    (
        Set::S1344,
        [
            "26fae43a910c9c4c9461184a2ce961c4574295b33cd800315b5cb230e91d38bb",
            "9d0f69b7f2d9c85308f24fb8315d7927ddb8a6f140c90958a5a4f75f88aca4c1",
            "4f4874ba806e50e193c1737c6886b5bfa7dca995d2baeb1e0b1fbf4671cf71f1",
            "47f2032cd257680ee8a0b834201dbfccd9f5264c0c9d7b3e4d5cdf458a6128fd",
            "f4907b8101cc55fb4b0208ac3c20dc09e19c38e26cf5eb437d57c04718659b94",
        ],
    ),
    (
        Set::W1152B3,
        [
            "bd0ef3b40af916019ccdaff98c8ccf5134e4ac3a9307137d008df8cf1fb97a0a",
            "1aaa6163e3c75fad962bd3a4407272d8fa55ebade44a30d7be74ef3016b58a10",
            "2ec91ff6b7ce0195b5b17fc5445d8f93282dba942fa861064bceb7f3e76d569c",
            "cb2d7c5b68e0b63cb081bc68fd2c2640afcaa01685ce2cbc4669d07b389006d4",
            "bbfe77b7381c966505b1ca5779c204e5a55b9d1b228637b62854478b0f9c452d",
        ],
    ),
    (
        Set::W1792B3,
        [
            "a82ff877121ba59db12cdcef66e7021433bfdc50d4072d394d9a8bbcb15ee3f4",
            "dc9ffed37cc2e42be4fe44be508c0042820df4f72318d418b19ea21c4eb5e299",
            "128dd2435a42db2a71326ef8489d49ac0aec78f31b120bdd8657119bb1377349",
            "c703cb86cdfe110b1a606798e457d913ab221d64bcd103961f404df5b564327b",
            "417d157d31e0f6e2a35cdd485cdb74a18815b339cb642116b5801609e35cd0ff",
        ],
    ),
    (
        Set::H1152,
        [
            "bb99342492aebe3549fdd5477f7e524722419dcbe7429deebc6cb91dd4f8e61f",
            "6e2407ceb77ccc401d2b28a563536f3b6765cdfb6b5ae658ad97625fdd7d7143",
            "56cd1845323cf18ac5b80a49a036b05d1172ac504f67216359a963dae8eff40f",
            "709d3c89e48d0b870370a272dfe0dc1ceffdd2d35c5540e4a432d1171304ce40",
            "a449c301fa162b01abbe64c1a49681077052e5025fda8cfc5d126608c9b80a6c",
        ],
    ),
    (
        Set::Bits704,
        [
            "b9156549e9b8d109a0d03d3b1188b101b8618f1d6a37a08578293a13f103f0d2",
            "d12bde8085b26b9747d6035970c7894ee705f37ef7adbb0bf56d9c763c77f07e",
            "3a97fbe0fa07eadee5dd14fc95e3a3ea4b14f91bff44efcf4ce21ed7e1cad8c8",
            "1c2d4de38a954dabb561e90287db3c32e04dd4ac2ec7182eeea9984c3eb878c9",
            "1470d01be164573544d7781727179d547e10ac99bb7f9f97d708c3be3693eb7b",
        ],
    ),
];

type Pair = (SecretKey, PublicKey);

/// What comes of one owner, one reader, one file.
struct Round {
    capsule: Capsule,
    rekey: ReKey,
    received: Capsule,
    admitted: Admitted,
    proxy: ProxySecret,
}

/// 32 drawn bytes.
pub(super) fn bytes(draw: &mut ChaCha12Rng) -> [u8; 32] {
    let mut bytes = [0; 32];
    draw.fill_bytes(&mut bytes);
    bytes
}

/// Shares a key between two pairs, each value by way of its bytes, and opens it.
fn round(
    owner: &Pair,
    reader: &Pair,
    variant: Variant,
    draw: &mut ChaCha12Rng,
) -> Result<Round, Fault> {
    let (signing, message) = (SigningKey::from_seed(&bytes(draw)), Message::new(bytes(draw)));
    let (capsule, key) = encapsulate(&owner.1, KeyId::new(bytes(draw)), &message);
    let (approval, _) = approve((&owner.0, &owner.1), &capsule, &signing).map_err(text)?;
    let admission = approval.check(&signing.owner(), owner.1.digest()).map_err(text)?;
    let admitted = admission.admit(capsule.clone()).map_err(text)?;
    let offer = Offer::new(&reader.0, owner.1.digest(), variant, &bytes(draw));
    let offer = Offer::from_bytes(&offer.to_bytes()).map_err(text)?;
    let (grant, mut spent) = (Digest::new(bytes(draw)), SpentOffers::default());
    let rekey = offer.accept(&owner.0, grant, &mut spent).map_err(text)?;
    let rekey = ReKey::from_bytes(&rekey.to_bytes()).map_err(text)?;
    let proxy = ProxySecret::new(bytes(draw));
    let warm = WarmKey::new(&rekey, Some(&reader.1)).map_err(text)?;
    let received = warm.reencrypt(&proxy, &admitted).map_err(text)?;
    let opened = open(&reader.0, &owner.1, &capsule, &received)
        .map_err(|error| format!("{:?}: {error}", capsule.set()))?;
    same(&key, &opened)?;
    drop(warm);
    Ok(Round { capsule, rekey, received, admitted, proxy })
}

/// Keys show nothing of themselves; but what one seals the other opens.
fn same(one: &ContentKey, other: &ContentKey) -> Result<(), Fault> {
    let coins = SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
    let sealed = seal(b"a file", one, coins).map_err(text)?;
    let opened = open_file(&sealed, other).map_err(|_| "another key of the file came out")?;
    hold(opened == b"a file", || "another file came out".to_owned())
}

pub(super) fn many_keys(world: &World) -> Check {
    let mut draw = world.seed.stream("verify/sharing/many-keys");
    let mut shared = 0;
    for &set in Set::ALL {
        let pairs = if set == Set::Toy16 { PAIRS_TOY } else { PAIRS };
        for _ in 0..pairs {
            let (owner, reader) =
                (generate(set, &bytes(&mut draw)), generate(set, &bytes(&mut draw)));
            for &variant in Variant::ALL {
                let Round { capsule, received, .. } = round(&owner, &reader, variant, &mut draw)?;
                // The owner's own key does not open what was made for the reader.
                refused(
                    "the owner, of the reader's capsule",
                    open(&owner.0, &owner.1, &capsule, &received),
                    |error| *error == OpenError::NotTheOriginal,
                )?;
                shared += 1;
            }
        }
    }
    Ok(format!("{shared} shares in {} sets, all opened", Set::ALL.len()))
}

pub(super) fn kernels(world: &World) -> Check {
    let mut draw = world.seed.stream("verify/sharing/kernels");
    let backends: Vec<Backend> = Backend::available().collect();
    for &set in Set::ALL {
        let (owner, reader) = (generate(set, &bytes(&mut draw)), generate(set, &bytes(&mut draw)));
        for &variant in Variant::ALL {
            let Round { rekey, received, admitted, proxy, .. } =
                round(&owner, &reader, variant, &mut draw)?;
            for &backend in &backends {
                let cold = WarmKey::cold(&rekey, Some(&reader.1)).map_err(text)?.on(backend);
                let mut found = vec![cold.reencrypt(&proxy, &admitted).map_err(text)?];
                let warm = WarmKey::new(&rekey, Some(&reader.1)).map_err(text)?.on(backend);
                let several = vec![admitted.clone(); SEVERAL];
                found.extend(warm.reencrypt_all(&proxy, &several).map_err(text)?);
                hold(found.iter().all(|found| *found == received), || {
                    format!("{set:?} {variant:?}: {backend:?} gives other bytes")
                })?;
            }
        }
    }
    Ok(format!("{backends:?} agree in {} sets and both variants", Set::ALL.len()))
}

/// The digests of a set, in the order of [`ANSWERS`].
fn answer(set: Set) -> Result<[Digest; 5], Fault> {
    let (owner, reader) = (generate(set, &[1; 32]), generate(set, &[2; 32]));
    let of = |variant| {
        let mut draw = Seed::new(1).stream("verify/sharing/known-answers");
        round(&owner, &reader, variant, &mut draw)
    };
    let (public, private) = (of(Variant::Public)?, of(Variant::KeyPrivate)?);
    Ok([
        owner.1.digest(),
        public.capsule.id(),
        public.rekey.digest(),
        public.received.id(),
        private.received.id(),
    ])
}

pub(super) fn known_answers(_: &World) -> Check {
    known(&ANSWERS)
}

fn known(answers: &[(Set, [&str; 5])]) -> Check {
    const NAMES: [&str; 5] = [
        "public key",
        "capsule",
        "re-encryption key",
        "re-encrypted capsule",
        "re-encrypted capsule, by a key-private key",
    ];
    let mut compared = 0;
    for (set, expected) in answers {
        let found = answer(*set)?.map(|digest| digest.to_string());
        for ((name, found), expected) in NAMES.iter().zip(found).zip(expected) {
            let of = set.parameters().name;
            hold(found == *expected, || format!("{of}: the {name} is {found}, not {expected}"))?;
            compared += 1;
        }
    }
    let sets = answers.len();
    hold(sets == Set::ALL.len(), || format!("{sets} sets have answers, of {}", Set::ALL.len()))?;
    Ok(format!("{compared} digests of {sets} sets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `--nocapture` shows the table anew after a change of the scheme.
    #[test]
    fn pre_1_2_fixed_seeds_give_the_bytes_that_are_written_down() {
        //= harness/spec/reencryption.md#pre-1-scheme
        //= type=test
        //# PRE-1.2 (ours): Every algorithm of the scheme MUST yield the same bytes for the same
        //# seeds and parameter set.
        for set in Set::ALL {
            let found = answer(*set).unwrap_or_else(|fault| panic!("{:?}", fault.outcome()));
            println!("    (Set::{set:?}, {:#?}),", found.map(|digest| digest.to_string()));
        }
        assert!(known(&ANSWERS).is_ok());
        let mut changed = ANSWERS.to_vec();
        changed[3].1[2] = changed[3].1[1];
        assert!(known(&changed).is_err(), "a wrong answer is seen");
        assert!(known(&ANSWERS[1..]).is_err(), "a set without answers is seen");
    }
}
