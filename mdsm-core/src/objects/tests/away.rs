//! Places that fail or do not answer, on a clock that only waiting moves.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use tokio::time::Instant;

use super::unsound::{ALWAYS, Unsound};
use super::*;

/// Three places, as a cluster would be or as directories are; two copies must be durable.
fn three(in_parts: bool) -> (Vec<Arc<Unsound>>, Objects) {
    let stores: Vec<Arc<Unsound>> = (0..3).map(|_| Unsound::new()).collect();
    let place = |(number, store): (usize, &Arc<Unsound>)| {
        let parts =
            in_parts.then(|| store.clone() as Arc<dyn object_store::multipart::MultipartStore>);
        Place::new(format!("place{number}"), store.clone(), parts, 1, Bounds::default())
    };
    let places = stores.iter().enumerate().map(place).collect();
    (stores, Objects::new(places, 2, Bounds::default()).unwrap())
}

fn at(digest: &Digest) -> Path {
    super::super::place::path(digest)
}

#[tokio::test(start_paused = true)]
async fn ddb_2_4_a_file_is_stored_with_two_of_three_copies_and_not_with_one() {
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.4 (ours): A file MUST count as stored only when the storage has acknowledged it with
    //# the number of copies configured, which is 2 at least.
    for in_parts in [false, true] {
        for length in [1_000, 2 * PIECE_BYTES + 1] {
            let (stores, objects) = three(in_parts);
            stores[1].hangs.store(ALWAYS, SeqCst);
            let file = bytes(1, length);
            let digest = sha256(&file);
            let began = Instant::now();
            let stored = objects.put(&digest, &file).await.unwrap();
            // Four times 5 s, and 200, 400 and 800 ms between.
            assert_eq!(began.elapsed(), Duration::from_millis(21_400));
            assert_eq!((stored.copies, stored.failed.len()), (2, 1));
            assert_eq!(
                stored.failed[0].to_string(),
                format!(
                    "place1: could not look for {}: no answer within 5000 ms (attempts: 4)",
                    at(&digest)
                )
            );
            // One that is away is asked once, and not first.
            let began = Instant::now();
            assert_eq!(objects.get(&digest, BYTES_MAX).await.unwrap().as_ref(), Some(&file));
            assert_eq!(began.elapsed(), Duration::ZERO);
            stores[2].fails.store(ALWAYS, SeqCst);
            let other = bytes(2, length);
            let refused = objects.put(&sha256(&other), &other).await.unwrap_err();
            let ObjectsError::Copies { copies, copies_min, failed, .. } = &refused else {
                panic!("{refused}");
            };
            assert_eq!((*copies, *copies_min, failed.len()), (1, 2, 2), "{refused}");
            let words = refused.to_string();
            assert!(words.contains("1 of 2 copies are durable: place1: could not"), "{words}");
            assert!(words.contains("place2: could not look for"), "{words}");
            assert!(words.contains("the cable is cut (attempts: 4)"), "{words}");
            // Back again: reading makes the copies that are missing.
            stores[1].hangs.store(0, SeqCst);
            stores[2].fails.store(0, SeqCst);
            for store in [1, 2] {
                assert!(objects.places()[store].size(&digest).await.is_ok() == (store == 2));
            }
            assert_eq!(objects.get(&digest, BYTES_MAX).await.unwrap().as_ref(), Some(&file));
            assert_eq!(objects.mended(), 1);
            let copy = stores[1].inside.get(&at(&digest)).await.unwrap().bytes().await.unwrap();
            assert_eq!(copy, file);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_now_and_then_is_made_again() {
    for length in [1_000, 3 * PIECE_BYTES] {
        for nth in 1..4 {
            let (stores, objects) = three(true);
            let file = bytes(7, length);
            let digest = sha256(&file);
            for store in &stores {
                store.fails.store(nth, SeqCst);
                store.forgets.store(1, SeqCst);
            }
            let stored = objects.put(&digest, &file).await.unwrap();
            assert_eq!(stored, Stored { copies: 3, failed: vec![] }, "{length} bytes, {nth} fail");
            stores.iter().for_each(|store| store.fails.store(nth, SeqCst));
            assert_eq!(objects.get(&digest, BYTES_MAX).await.unwrap(), Some(file));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ddb_3_4_a_place_that_does_not_answer_is_not_absence() {
    let (stores, objects) = three(false);
    let digest = sha256(b"somewhere");
    stores[2].hangs.store(ALWAYS, SeqCst);
    for _ in 0..2 {
        let error = objects.get(&digest, BYTES_MAX).await.unwrap_err();
        assert!(matches!(&error, ObjectsError::Unreachable { failed, .. } if failed.len() == 1));
        assert!(error.to_string().contains("not all places answered: place2: could not look for"));
        assert!(matches!(objects.has(&digest).await, Err(ObjectsError::Unreachable { .. })));
    }
    assert!(matches!(objects.list().await, Err(ObjectsError::Places { .. })));
    let checked = objects.check().await;
    assert_eq!(checked.findings.len(), 256, "each folder of the place is named");
    stores[2].hangs.store(0, SeqCst);
    assert_eq!(objects.get(&digest, BYTES_MAX).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_sending_is_given_up() {
    let (_, objects) = three(false);
    let file = bytes(9, 100_000);
    let digest = sha256(&file);
    struct Slow(Vec<u8>);
    impl Source for Slow {
        async fn fetch(&self, _: &Digest) -> io::Result<Option<impl AsyncRead + Send + Unpin>> {
            let (reader, mut writer) = tokio::io::duplex(1 << 20);
            let part = self.0[..50_000].to_vec();
            tokio::spawn(async move {
                tokio::io::AsyncWriteExt::write_all(&mut writer, &part).await.unwrap();
                // The line stays open, and nothing comes.
                std::future::pending::<()>().await;
                drop(writer);
            });
            Ok(Some(reader))
        }
    }
    let began = Instant::now();
    let error = objects.get_or_fetch(&digest, BYTES_MAX, &Slow(file.clone())).await.unwrap_err();
    assert!(error.to_string().contains("nothing came within 5000 ms"), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(objects.get(&digest, BYTES_MAX).await, Ok(None), "nothing of it was kept");
}

#[tokio::test(start_paused = true)]
async fn ddb_2_3_a_file_that_appears_while_one_is_written_is_looked_at() {
    // The first look finds nothing, then somebody writes another file under the same digest.
    struct Meanwhile(Vec<Arc<Unsound>>, Digest, Vec<u8>, Vec<u8>);
    impl AsyncRead for Meanwhile {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            for store in std::mem::take(&mut self.0) {
                let (path, bytes) = (at(&self.1), PutPayload::from(self.2.clone()));
                let mut put = std::pin::pin!(store.inside.put(&path, bytes));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(put.as_mut().poll(&mut context).is_ready(), "memory does not wait");
            }
            let length = buffer.remaining().min(self.3.len());
            let rest = self.3.split_off(length);
            buffer.put_slice(&std::mem::replace(&mut self.3, rest));
            std::task::Poll::Ready(Ok(()))
        }
    }
    for in_parts in [false, true] {
        for length in [1_000, PIECE_BYTES + 1] {
            let (stores, objects) = three(in_parts);
            let file = bytes(4, length);
            let digest = sha256(&file);
            let same = Meanwhile(stores[..1].to_vec(), digest, file.clone(), file.clone());
            assert_eq!(objects.put_from(&digest, same).await.unwrap().copies, 3);
            let (stores, objects) = three(in_parts);
            let other = b"another".to_vec();
            let other = Meanwhile(stores[..1].to_vec(), digest, other, file.clone());
            let refused = objects.put_from(&digest, other).await.unwrap_err();
            assert!(matches!(refused, ObjectsError::Different { .. }), "{refused}");
        }
    }
}
