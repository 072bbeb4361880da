//! How the driver of an institution ends, on its thread and for those who wait for it.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;
use tokio::sync::oneshot;

use super::disk::DiskError;

/// Why a driver ended although nobody has stopped it. Nothing leaves the institution any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndError {
    /// Its disk has failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A rule of its own is broken.
    #[error("the driver panicked, which is a defect of this program: {0}")]
    Panic(String),
}

/// The end of a driver, which may be waited for any number of times.
#[derive(Debug)]
pub(super) struct Ending {
    told: oneshot::Receiver<Result<(), EndError>>,
    result: Option<Result<(), EndError>>,
}

impl Ending {
    /// Runs a driver on a thread of its own: it waits for its disk, and nobody else has to.
    pub(super) fn of(
        driver: impl Future<Output = Result<(), DiskError>> + Send + 'static,
    ) -> io::Result<Self> {
        let (ending, told) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        std::thread::Builder::new().name("driver".to_owned()).spawn(move || {
            // What a driver has half done is not looked at again: it is dropped on the way.
            let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(driver)));
            let result = match ended {
                Ok(result) => result.map_err(EndError::Disk),
                Err(panic) => Err(EndError::Panic(words(&*panic))),
            };
            if let Err(error) = &result {
                tracing::error!(%error, "nothing leaves this institution any more");
            }
            // Nobody may wait for it.
            let _ = ending.send(result);
        })?;
        Ok(Self { told, result: None })
    }

    /// Returns when the driver has ended. Whoever waits may give up and come again.
    pub(super) async fn wait(&mut self) -> Result<(), EndError> {
        if self.result.is_none() {
            let lost = |_| Err(EndError::Panic("its thread is gone".to_owned()));
            self.result = Some((&mut self.told).await.unwrap_or_else(lost));
        }
        self.result.clone().expect("it is set above")
    }
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it does not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_as_one_as_often_as_it_is_asked_for() {
        let mut ending = Ending::of(async { panic!("view {} is behind", 7) }).unwrap();
        for _ in 0..2 {
            let ended = ending.wait().await;
            assert_eq!(ended, Err(EndError::Panic("view 7 is behind".to_owned())));
        }
        let mut ending = Ending::of(async { Ok(()) }).unwrap();
        assert_eq!((ending.wait().await, ending.wait().await), (Ok(()), Ok(())));
    }
}
