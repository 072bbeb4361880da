//! Files in directories: what is acknowledged, found, mended and refused. Places that fail: `away`.

mod away;
mod unsound;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncRead;

use super::*;
use crate::crypto::sha256;
use crate::types::Digest;

/// The damaged places follow from it.
const SEED: u64 = 0x4d44_534d;
const BYTES_MAX: usize = 64 * 1_024 * 1_024;

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

struct Disks {
    folder: TempDir,
    directories: Vec<PathBuf>,
}

impl Disks {
    fn new(number: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directories = (0..number).map(|disk| folder.path().join(format!("disk{disk}")));
        Self { directories: directories.collect(), folder }
    }

    fn open(&self, copies: usize) -> Objects {
        Objects::in_directories(&self.directories, copies, Bounds::default()).unwrap()
    }

    fn file(&self, disk: usize, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.directories[disk].join(&name[..2]).join(name)
    }

    /// Everything that lies in a directory, the lock apart.
    fn names(&self, disk: usize) -> Vec<String> {
        let mut names = Vec::new();
        for folder in fs::read_dir(&self.directories[disk]).unwrap() {
            let folder = folder.unwrap().path();
            if folder.is_dir() {
                let inside = fs::read_dir(folder).unwrap();
                names.extend(inside.map(|it| it.unwrap().file_name().into_string().unwrap()));
            }
        }
        names.sort();
        names
    }
}

/// Somebody who has a file, or says so.
struct Peer(Option<Vec<u8>>);

impl Source for Peer {
    async fn fetch(&self, _: &Digest) -> io::Result<Option<impl AsyncRead + Send + Unpin>> {
        Ok(self.0.as_deref())
    }
}

#[tokio::test]
async fn ddb_2_1_a_file_lies_in_every_place_and_is_found_by_its_digest() {
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.1 (paper): A stored file MUST lie on several storage nodes in several copies.
    //= harness/spec/database.md#ddb-3-finding
    //= type=test
    //# DDB-3.1 (paper): A stored file MUST be found by its digest.
    let disks = Disks::new(3);
    let objects = disks.open(3);
    let mut stored = std::collections::BTreeSet::new();
    for (seed, length) in
        [0, 1, 70_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 9]
            .into_iter()
            .enumerate()
    {
        let file = bytes(seed as u64, length);
        let digest = sha256(&file);
        assert!(!objects.has(&digest).await.unwrap());
        let done = objects.put(&digest, &file).await.unwrap();
        assert_eq!(done, Stored { copies: 3, failed: vec![] });
        for disk in 0..3 {
            assert_eq!(fs::read(disks.file(disk, &digest)).unwrap(), file);
        }
        assert!(objects.has(&digest).await.unwrap());
        assert_eq!(objects.get(&digest, BYTES_MAX).await.unwrap(), Some(file.clone()));
        let path = disks.folder.path().join("out");
        let written = objects.get_to(&digest, &path, &NoSource).await.unwrap();
        assert_eq!((written, fs::read(&path).unwrap()), (Some(length as u64), file));
        stored.insert(digest);
    }
    assert_eq!(objects.list().await.unwrap(), stored);
    let checked = objects.check().await;
    assert_eq!((checked.files, checked.copies, checked.findings), (7, 21, vec![]));
    assert_eq!(objects.mended(), 0);
}

#[tokio::test]
async fn ddb_2_2_the_loss_of_a_place_loses_nothing_and_is_mended_by_reading() {
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.2 (paper): The loss of one storage node MUST NOT lose a stored file.
    for lost in 0..2 {
        let disks = Disks::new(2);
        let file = bytes(3, PIECE_BYTES + 77);
        let digest = sha256(&file);
        disks.open(2).put(&digest, &file).await.unwrap();
        fs::remove_dir_all(&disks.directories[lost]).unwrap();
        let objects = disks.open(2);
        let place = objects.places()[lost].name().to_owned();
        let missing = objects.check().await.findings;
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].to_string(), format!("file {digest} in {place}: missing"));
        assert_eq!(objects.get(&digest, BYTES_MAX).await.unwrap().as_ref(), Some(&file));
        assert_eq!(objects.mended(), 1);
        assert_eq!(fs::read(disks.file(lost, &digest)).unwrap(), file, "place {lost}");
        assert_eq!(objects.check().await.findings, vec![]);
    }
}

#[tokio::test]
async fn ddb_2_3_the_same_again_is_no_change_and_anything_else_is_refused() {
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.3 (ours): Storing a file MUST be refused when a different file lies under its digest
    //# and succeed without effect when the same file does.
    for length in [9_000, PIECE_BYTES + 9_000] {
        let disks = Disks::new(2);
        let objects = disks.open(2);
        let file = bytes(1, length);
        let digest = sha256(&file);
        objects.put(&digest, &file).await.unwrap();
        let before = fs::metadata(disks.file(0, &digest)).unwrap().modified().unwrap();
        assert_eq!(objects.put(&digest, &file).await.unwrap().copies, 2);
        let after = fs::metadata(disks.file(0, &digest)).unwrap().modified().unwrap();
        assert_eq!(before, after, "it was not written again");
        let mut other = file.clone();
        other[length / 2] ^= 1;
        let found = sha256(&other);
        let refused = objects.put(&digest, &other).await.unwrap_err();
        assert_eq!(refused, ObjectsError::Digest { digest, found });
        let new = sha256(b"another name");
        assert_eq!(
            objects.put(&new, &other).await.unwrap_err(),
            ObjectsError::Digest { digest: new, found }
        );
        assert_eq!(disks.names(0), [digest.to_string()], "nothing is left of what was refused");
        // Another file lies there: it stays as evidence until a whole copy replaces it.
        fs::write(disks.file(1, &digest), &other).unwrap();
        let refused = objects.put(&digest, &file).await.unwrap_err();
        let expected = format!(
            "file {digest}: another file lies under its digest in {}, {length} bytes with digest {found}",
            disks.directories[1].display()
        );
        assert_eq!(refused.to_string(), expected);
        assert_eq!(fs::read(disks.file(1, &digest)).unwrap(), other);
    }
}

#[tokio::test]
async fn ddb_2_4_fewer_than_two_copies_are_only_for_a_demonstration() {
    let disks = Disks::new(2);
    for copies in [0, 1, 3] {
        let refused = Objects::in_directories(&disks.directories, copies, Bounds::default());
        assert_eq!(refused.unwrap_err(), ObjectsError::Configured { copies, places: 2 });
    }
    let twice = vec![disks.directories[0].clone(), disks.directories[0].join("../disk0")];
    let refused = Objects::in_directories(&twice, 2, Bounds::default()).unwrap_err();
    assert_eq!(refused, ObjectsError::Twice { directory: twice[1].clone() });
    let place = Place::directory(&disks.directories[0], Bounds::default()).unwrap();
    let refused = Place::directory(&disks.directories[0], Bounds::default()).unwrap_err();
    assert_eq!(refused, ObjectsError::Locked { directory: disks.directories[0].clone() });
    let objects = Objects::demonstration(place, Bounds::default());
    let digest = sha256(b"one");
    assert_eq!(objects.put(&digest, b"one").await.unwrap().copies, 1);
}

#[tokio::test]
async fn ddb_3_4_what_is_not_stored_is_absent() {
    //= harness/spec/database.md#ddb-3-finding
    //= type=test
    //# DDB-3.4 (ours): A look-up of a digest that is not stored MUST yield absence and not an error
    //# of the storage.
    let disks = Disks::new(2);
    let objects = disks.open(2);
    let digest = sha256(b"nowhere");
    let out = disks.folder.path().join("out");
    for _ in 0..2 {
        assert_eq!(objects.get(&digest, BYTES_MAX).await, Ok(None));
        assert_eq!(objects.has(&digest).await, Ok(false));
        assert_eq!(objects.get_to(&digest, &out, &NoSource).await, Ok(None));
        assert_eq!(objects.get_or_fetch(&digest, BYTES_MAX, &Peer(None)).await, Ok(None));
        // The same with a folder in which it could be.
        let neighbour = disks.file(0, &digest).with_file_name("x");
        fs::create_dir_all(neighbour.parent().unwrap()).unwrap();
    }
    let left: Vec<_> =
        fs::read_dir(disks.folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(left.len(), 2, "no part of a file is left: {left:?}");
}

#[derive(Debug)]
enum Damage {
    Flip(usize, u32),
    Cut(usize),
    Longer(u8),
    Remove,
}

impl Damage {
    fn draw(random: &mut Random, length: usize) -> Self {
        match random.below(10) {
            0..=5 => Self::Flip(random.below(length), u32::try_from(random.below(8)).unwrap()),
            6..=7 => Self::Cut(random.below(length)),
            8 => Self::Longer(u8::try_from(random.below(256)).unwrap()),
            _ => Self::Remove,
        }
    }

    fn apply(&self, file: &std::path::Path) {
        let mut bytes = fs::read(file).unwrap();
        match *self {
            Self::Flip(byte, bit) => bytes[byte] ^= 1 << bit,
            Self::Cut(length) => bytes.truncate(length),
            Self::Longer(byte) => bytes.push(byte),
            Self::Remove => return fs::remove_file(file).unwrap(),
        }
        fs::write(file, bytes).unwrap();
    }
}

#[tokio::test]
async fn ddb_1_9_damage_at_a_thousand_places_is_found_mended_and_never_served() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under
    //# which it is known, and report a difference instead of the value.
    let disks = Disks::new(2);
    let objects = disks.open(2);
    let mut random = Random(SEED);
    let mut files = Vec::new();
    for length in [1, 100, 5_000, 70_000] {
        let file = bytes(random.next(), length);
        let digest = sha256(&file);
        objects.put(&digest, &file).await.unwrap();
        files.push((digest, file));
    }
    let (mut mended, mut lost) = (0, 0);
    for round in 0..1_000 {
        let (digest, file) = &files[random.below(files.len())];
        // One copy, or both.
        let damaged: Vec<usize> = match random.below(4) {
            0 => vec![0, 1],
            disk => vec![disk % 2],
        };
        let mut told = Vec::new();
        for disk in &damaged {
            let damage = Damage::draw(&mut random, file.len());
            damage.apply(&disks.file(*disk, digest));
            told.push(damage);
        }
        let what = format!("round {round}, {digest}: {damaged:?} {told:?}");
        let all_gone = told.iter().all(|it| matches!(it, Damage::Remove)) && damaged.len() == 2;
        let mut found = objects.check_one(digest).await;
        found.sort();
        let mut expected: Vec<String> =
            damaged.iter().map(|disk| disks.directories[*disk].display().to_string()).collect();
        expected.sort();
        assert_eq!(found, expected, "{what}");
        let before = objects.mended();
        let served = objects.get(digest, BYTES_MAX).await;
        if damaged.len() == 1 {
            assert_eq!(served.unwrap().as_ref(), Some(file), "{what}");
            // Of a copy that it did not need, reading sees presence and length alone.
            let is_unseen = damaged[0] == 1 && matches!(told[0], Damage::Flip(..));
            assert_eq!(objects.mended() - before, u64::from(!is_unseen), "{what}");
            assert_eq!(objects.mend(digest, &NoSource).await, Ok(Some(())), "{what}");
            mended += 1;
        } else {
            match served {
                Ok(None) => assert!(all_gone, "{what}"),
                Err(ObjectsError::Damaged { places, .. }) => {
                    let words = places.join(" ");
                    for (disk, damage) in damaged.iter().zip(&told) {
                        let name = disks.directories[*disk].display().to_string();
                        let is_named = words.contains(&name) || matches!(damage, Damage::Remove);
                        assert!(is_named, "{what}: {words}");
                    }
                }
                other => panic!("{what}: {other:?}"),
            }
            // Somebody lies first, and nothing of it is kept.
            let mut lie = file.clone();
            lie[0] ^= 1;
            let lied = objects.get_or_fetch(digest, BYTES_MAX, &Peer(Some(lie))).await;
            let lied = lied.unwrap_err().to_string();
            assert!(lied.contains("the bytes given have digest"), "{what}: {lied}");
            let peer = Peer(Some(file.clone()));
            let fetched = objects.get_or_fetch(digest, BYTES_MAX, &peer).await.unwrap();
            assert_eq!(fetched.as_ref(), Some(file), "{what}");
            lost += 1;
        }
        assert_eq!(objects.mended() - before, damaged.len() as u64, "{what}");
        assert_eq!(objects.check_one(digest).await, Vec::<String>::new(), "{what}");
    }
    println!("seed {SEED:#x}: {mended} mended from the other copy, {lost} fetched again");
    assert!(mended > 500 && lost > 100);
}

impl Objects {
    /// The places in which something is wrong with a file.
    async fn check_one(&self, digest: &Digest) -> Vec<String> {
        let read = self.examine(self.places().to_vec(), digest).await;
        let wrong =
            read.into_iter().filter(|(_, it)| !matches!(it, super::read::Reading::Whole(_)));
        wrong.map(|(place, _)| place.name().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ddb_2_3_many_writers_of_one_digest_leave_one_whole_file() {
    for length in [50_000, PIECE_BYTES + 5] {
        let disks = Disks::new(2);
        let objects = disks.open(2);
        let file = bytes(5, length);
        let digest = sha256(&file);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..12 {
            let (objects, mut file) = (objects.clone(), file.clone());
            let lies = writer % 3 == 0;
            if lies {
                file[writer] ^= 0x80;
            }
            writers.spawn(async move { (lies, objects.put(&digest, &file).await) });
        }
        for (lies, result) in writers.join_all().await {
            match result {
                Ok(stored) => assert_eq!((lies, stored.copies), (false, 2)),
                Err(error) => {
                    assert!(lies && matches!(error, ObjectsError::Digest { .. }), "{error}")
                }
            }
        }
        for disk in 0..2 {
            assert_eq!(disks.names(disk), [digest.to_string()]);
            assert_eq!(fs::read(disks.file(disk, &digest)).unwrap(), file);
        }
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_and_strangers_are_named() {
    let disks = Disks::new(2);
    let file = bytes(8, 4_000);
    let digest = sha256(&file);
    let half = disks.file(0, &digest).with_file_name(format!("{digest}#1"));
    fs::create_dir_all(half.parent().unwrap()).unwrap();
    fs::write(&half, &file[..2_000]).unwrap();
    let strange = half.with_file_name("notes.txt");
    fs::write(&strange, b"mine").unwrap();
    let objects = disks.open(2);
    assert!(!half.exists());
    assert_eq!(objects.get(&digest, BYTES_MAX).await, Ok(None));
    assert_eq!(objects.put(&digest, &file).await.unwrap().copies, 2);
    let findings = objects.check().await.findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].fault, Fault::Strange);
    assert!(findings[0].name.ends_with("/notes.txt"));
}

#[tokio::test]
async fn a_file_beyond_the_bound_is_refused_with_the_bound() {
    let disks = Disks::new(2);
    let bounds = Bounds { file_bytes_max: 1_000, ..Bounds::default() };
    let objects = Objects::in_directories(&disks.directories, 2, bounds).unwrap();
    let file = bytes(8, 1_001);
    let digest = sha256(&file);
    let refused = objects.put(&digest, &file).await.unwrap_err();
    assert_eq!(refused, ObjectsError::TooLarge { digest, bytes: 1_001, bytes_max: 1_000 });
    assert_eq!(disks.names(0), Vec::<String>::new());
    let small = sha256(&file[..1_000]);
    objects.put(&small, &file[..1_000]).await.unwrap();
    let refused = objects.get(&small, 999).await.unwrap_err();
    assert_eq!(refused, ObjectsError::TooLarge { digest: small, bytes: 1_000, bytes_max: 999 });
    let broken = Broken(vec![7; PIECE_BYTES + 10]);
    let bounds = Bounds { pause: Duration::ZERO, ..Bounds::default() };
    let disks = Disks::new(2);
    let objects = Objects::in_directories(&disks.directories, 2, bounds).unwrap();
    let refused = objects.put_from(&digest, broken).await.unwrap_err();
    assert_eq!(refused, ObjectsError::Input { digest, why: "the client has gone".to_owned() });
    // It is taken back; where that is done by the thread of a disk, by then.
    assert_eq!(disks.names(0), Vec::<String>::new());
}

/// Yields its bytes and then fails.
struct Broken(Vec<u8>);

impl AsyncRead for Broken {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        if self.0.is_empty() {
            return std::task::Poll::Ready(Err(io::Error::other("the client has gone")));
        }
        let bytes = buffer.remaining().min(self.0.len());
        let rest = self.0.split_off(bytes);
        buffer.put_slice(&std::mem::replace(&mut self.0, rest));
        std::task::Poll::Ready(Ok(()))
    }
}
