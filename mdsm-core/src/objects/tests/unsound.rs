//! A store that fails on demand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Requests that fail are counted down; this many never end.
pub(super) const ALWAYS: u32 = u32::MAX;

/// Files in memory behind requests that fail, or are never answered.
#[derive(Debug, Default)]
pub(super) struct Unsound {
    pub(super) inside: InMemory,
    /// Requests that fail from now on.
    pub(super) fails: AtomicU32,
    /// Requests that are not answered from now on.
    pub(super) hangs: AtomicU32,
    /// Completions whose answer is lost although they were carried out.
    pub(super) forgets: AtomicU32,
    /// Requests so far.
    pub(super) requests: AtomicU32,
}

impl Unsound {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    fn counts(counter: &AtomicU32) -> bool {
        let down = |left: u32| match left {
            0 => None,
            ALWAYS => Some(ALWAYS),
            left => Some(left - 1),
        };
        counter.try_update(Ordering::SeqCst, Ordering::SeqCst, down).is_ok()
    }

    async fn enter(&self) -> Result<()> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if Self::counts(&self.hangs) {
            std::future::pending::<()>().await;
        }
        if Self::counts(&self.fails) {
            return Err(lost("the cable is cut"));
        }
        Ok(())
    }
}

fn lost(why: &'static str) -> Error {
    Error::Generic { store: "unsound", source: why.into() }
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unsound")
    }
}

#[async_trait]
impl ObjectStore for Unsound {
    async fn put_opts(&self, path: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.enter().await?;
        let put = self.inside.put_opts(path, bytes, how).await?;
        if Self::counts(&self.forgets) { Err(lost("the answer is lost")) } else { Ok(put) }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.enter().await?;
        self.inside.put_multipart_opts(path, how).await
    }

    async fn get_opts(&self, path: &Path, how: GetOptions) -> Result<GetResult> {
        self.enter().await?;
        self.inside.get_opts(path, how).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inside.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inside.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.enter().await?;
        self.inside.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.enter().await?;
        self.inside.copy_opts(from, to, how).await
    }
}

#[async_trait]
impl MultipartStore for Unsound {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.enter().await?;
        self.inside.create_multipart(path).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        index: usize,
        bytes: PutPayload,
    ) -> Result<PartId> {
        self.enter().await?;
        self.inside.put_part(path, id, index, bytes).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.enter().await?;
        let put = self.inside.complete_multipart(path, id, parts).await;
        if Self::counts(&self.forgets) {
            return Err(lost("the answer is lost"));
        }
        // A cluster says so of an upload that it has completed; the one in memory has other words.
        put.map_err(|source| Error::NotFound { path: path.to_string(), source: source.into() })
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.enter().await?;
        self.inside.abort_multipart(path, id).await
    }
}
