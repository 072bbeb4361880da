//! Files in a real cluster that loses a node and goes away for a while. `.ci/seaweedfs` starts one. [DDB-2]
#![cfg(not(mdsm_loom))]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mdsm_core::crypto::sha256;
use mdsm_core::objects::{Bounds, Cluster, Objects, ObjectsError, PIECE_BYTES};
use mdsm_core::types::Digest;
use tokio::task::JoinSet;

const BYTES_MAX: usize = 64 * 1_024 * 1_024;
const WRITERS: usize = 4;
/// Files acknowledged before a storage node is killed, and after.
const FILES: usize = 60;
/// Time for which the gateway does not answer.
const AWAY: Duration = Duration::from_secs(60);
/// Files that may be refused while the cluster notices that a node is gone.
const REFUSED_MAX: usize = 40;

fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; start .ci/seaweedfs"))
}

/// Sends a signal to a process of the cluster that the script has started.
fn signal(signal: &str, process: &str) {
    let done = Command::new("kill").args([signal, process]).status().unwrap();
    assert!(done.success(), "kill {signal} {process}");
}

fn open() -> Objects {
    let bounds = Bounds::default();
    let (endpoint, bucket) = (setting("MDSM_S3_ENDPOINT"), setting("MDSM_S3_BUCKET"));
    let cluster = Cluster { endpoint, bucket, copies: 2 };
    Objects::new(vec![cluster.place(bounds).unwrap()], 2, bounds).unwrap()
}

/// Different for each number, and of different lengths.
fn file(number: usize) -> Vec<u8> {
    let length = 1 + (number * 7_919) % 300_000;
    let mut block = sha256(&number.to_le_bytes());
    let mut file = Vec::with_capacity(length + Digest::BYTES);
    while file.len() < length {
        file.extend_from_slice(block.as_bytes());
        block = sha256(block.as_bytes());
    }
    file.truncate(length);
    file
}

#[derive(Default)]
struct Load {
    next: AtomicUsize,
    acknowledged: Mutex<Vec<(Digest, usize)>>,
    refused: AtomicUsize,
    reads: AtomicUsize,
}

impl Load {
    /// Writes and reads back, until `files` more were acknowledged.
    async fn run(self: &Arc<Self>, objects: &Objects, files: usize) {
        let goal = self.acknowledged.lock().unwrap().len() + files;
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            let (load, objects) = (self.clone(), objects.clone());
            tasks.spawn(async move {
                while load.acknowledged.lock().unwrap().len() < goal {
                    let number = load.next.fetch_add(1, SeqCst);
                    let bytes = file(number);
                    let digest = sha256(&bytes);
                    match objects.put(&digest, &bytes).await {
                        Ok(_) => load.acknowledged.lock().unwrap().push((digest, number)),
                        Err(error) => {
                            println!("not acknowledged: {error}");
                            let refused = load.refused.fetch_add(1, SeqCst);
                            assert!(refused < REFUSED_MAX, "the cluster does not come back");
                        }
                    }
                    let earlier = {
                        let acknowledged = load.acknowledged.lock().unwrap();
                        acknowledged.get(number * 31 % acknowledged.len().max(1)).copied()
                    };
                    if let Some((digest, number)) = earlier {
                        let found = objects.get(&digest, BYTES_MAX).await.unwrap();
                        assert!(found == Some(file(number)), "file {number}, {digest}");
                        load.reads.fetch_add(1, SeqCst);
                    }
                }
            });
        }
        tasks.join_all().await;
    }

    fn is_at(&self, files: usize) -> bool {
        self.acknowledged.lock().unwrap().len() >= files
    }

    async fn all_there(&self, objects: &Objects) {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        for (digest, number) in acknowledged {
            let found = objects.get(&digest, BYTES_MAX).await.unwrap();
            assert!(found == Some(file(number)), "file {number}, {digest}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a cluster of SeaweedFS, which .ci/seaweedfs starts; it runs this test"]
async fn ddb_2_2_nothing_acknowledged_is_lost_with_a_storage_node() {
    //= harness/spec/database.md#ddb-2-copies
    //= type=test
    //# DDB-2.2 (paper): The loss of one storage node MUST NOT lose a stored file.
    let (volume, filer) = (setting("MDSM_S3_VOLUME_PID"), setting("MDSM_S3_FILER_PID"));
    let objects = open();
    let load = Arc::new(Load::default());
    load.run(&objects, FILES).await;

    // Several pieces; the same again; another file under the digest.
    let large: Vec<u8> = (0..80).flat_map(file).cycle().take(2 * PIECE_BYTES + 5).collect();
    let digest = sha256(&large);
    for _ in 0..2 {
        assert_eq!(objects.put(&digest, &large).await.unwrap().copies, 2);
    }
    let refused = objects.put(&digest, &large[1..]).await.unwrap_err();
    assert!(matches!(refused, ObjectsError::Digest { .. }), "{refused}");
    assert_eq!(objects.get(&sha256(b"absent"), BYTES_MAX).await, Ok(None));

    let (loading, objects_too) = (load.clone(), objects.clone());
    let under_load = tokio::spawn(async move { loading.run(&objects_too, 2 * FILES).await });
    // In the middle of it, as counted by what was acknowledged.
    while !load.is_at(FILES + FILES / 2) && !under_load.is_finished() {
        tokio::task::yield_now().await;
    }
    signal("-KILL", &volume);
    under_load.await.unwrap();
    load.all_there(&objects).await;
    assert!(objects.get(&digest, BYTES_MAX).await.unwrap() == Some(large));

    // The gateway stops answering for a minute, under load: no acknowledgement, no absence, an end within the bounds.
    signal("-STOP", &filer);
    let stopped = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let objects = objects.clone();
        tasks.spawn(async move {
            let mut refused = 0;
            while stopped.elapsed() < AWAY {
                let bytes = file(1_000_000 + writer);
                let put = objects.put(&sha256(&bytes), &bytes).await.unwrap_err();
                assert!(matches!(&put, ObjectsError::Copies { copies: 0, .. }), "{put}");
                let unread = objects.get(&digest, BYTES_MAX).await.unwrap_err();
                assert!(matches!(&unread, ObjectsError::Unreachable { .. }), "{unread}");
                refused += 1;
            }
            refused
        });
    }
    let refused: usize = tasks.join_all().await.into_iter().sum();
    assert!(stopped.elapsed() >= AWAY && refused >= WRITERS);
    println!("gateway stopped for {} s: {refused} files refused", stopped.elapsed().as_secs());
    signal("-CONT", &filer);
    for writer in 0..WRITERS {
        let bytes = file(1_000_000 + writer);
        assert_eq!(objects.put(&sha256(&bytes), &bytes).await.unwrap().copies, 2);
    }
    load.all_there(&objects).await;
    let checked = objects.check().await;
    assert_eq!(checked.findings, vec![]);
    let files = load.acknowledged.lock().unwrap().len();
    assert!(checked.files > (files + WRITERS) as u64);
    println!(
        "{files} files acknowledged and found, {} not acknowledged, {} reads meanwhile; {} files checked",
        load.refused.load(SeqCst),
        load.reads.load(SeqCst),
        checked.files
    );
}
