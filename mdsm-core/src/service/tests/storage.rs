//! What others are told when the storage of an institution fails.

use std::path::PathBuf;

use super::*;
use crate::crypto::sha256;
use crate::runtime::settings::NodeFile;
use crate::types::Digest;

/// One institution, and the two directories of its files.
struct Keeper {
    _folder: tempfile::TempDir,
    served: Served,
    directories: [PathBuf; 2],
    asker: Asker,
    web: String,
}

impl Keeper {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::create(folder.path().join("network"), SMALL, PACE, None).unwrap();
        let settings = NodeFile::read(local.settings(InstitutionId::new(1))).unwrap();
        let served = Served::start(&settings).await.unwrap();
        let directories = [1, 2].map(|disk| local.folder().join(format!("home-1/objects-{disk}")));
        let asker = Asker::new(local.network().genesis.chain_id());
        let web = local.network().members[0].web.clone().unwrap();
        Self { _folder: folder, served, directories, asker, web }
    }

    /// The folder in which a directory has the file with a digest.
    fn folders(&self, digest: &Digest) -> [PathBuf; 2] {
        self.directories.each_ref().map(|it| it.join(&digest.to_string()[..2]))
    }

    async fn put(&self, digest: &Digest, bytes: &[u8]) -> (u16, String) {
        let key = SigningKey::from_seed(&[41; 32]);
        let told = self.asker.put(&self.web, digest, &key, bytes.to_vec()).await;
        told.map_or_else(declined, |_| (201, String::new()))
    }

    async fn get(&self, digest: &Digest) -> (u16, String) {
        let told = self.asker.object(&self.web, digest, 1_024).await;
        told.map_or_else(declined, |_| (200, String::new()))
    }
}

fn declined(error: AskError) -> (u16, String) {
    let AskError::Declined { status, why, .. } = error else { panic!("{error}") };
    (status, why)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storage_that_fails_is_no_fault_of_the_caller_and_its_places_are_not_told() {
    let keeper = Keeper::open().await;
    let (file, digest) = (b"sealed", sha256(b"sealed"));
    let (status, why) = keeper.put(&sha256(b"other"), file).await;
    assert!(status == 400 && why.contains("have digest"), "{status} {why}");

    // Nothing can be made or looked up where a directory should be.
    for folder in keeper.folders(&digest) {
        std::fs::write(folder, "no directory").unwrap();
    }
    let away = (503, "object: not enough of the storage answers now".to_owned());
    assert_eq!(keeper.put(&digest, file).await, away);
    assert_eq!(keeper.get(&digest).await, away);
    for folder in keeper.folders(&digest) {
        std::fs::remove_file(folder).unwrap();
    }
    assert_eq!(keeper.put(&digest, file).await.0, 201);
    assert_eq!(keeper.get(&digest).await.0, 200);

    for folder in keeper.folders(&digest) {
        std::fs::write(folder.join(digest.to_string()), "eaten!").unwrap();
    }
    let (status, why) = keeper.put(&digest, file).await;
    assert_eq!((status, why.as_str()), (409, "object: another file lies under its digest here"));
    let (status, why) = keeper.get(&digest).await;
    assert_eq!((status, why.as_str()), (500, "the institution fails: its storage"));
    keeper.served.stop().await.unwrap();
}
