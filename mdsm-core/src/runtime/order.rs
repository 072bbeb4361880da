//! What a driver is told.

use std::fmt;

use tokio::sync::oneshot;

use super::intake::SubmitError;
use crate::ledger::Service;
use crate::node::{Input, Message, Refusal, ServiceState, Submission};
use crate::types::{InstitutionId, RecordId};

/// Something for a driver.
#[derive(Debug)]
pub enum Order {
    /// A message came over a link.
    Message {
        /// From whom.
        from: InstitutionId,
        /// What it says.
        message: Box<Message>,
        /// What it takes up on its link until the driver has taken it.
        room: Room,
    },
    /// A client sends a record; the answer comes when it is on the disk.
    Submit {
        /// The record.
        submission: Submission,
        /// Who waits.
        answer: Answer,
    },
    /// A client reports a service; the answer is how its receipt stands then.
    Report {
        /// The receipt.
        service: Service,
        /// Who waits.
        answer: oneshot::Sender<Option<ServiceState>>,
    },
    /// Anything else that a node takes.
    Input(Box<Input>),
    /// Everything that was said is stored and sent; then the driver ends.
    Stop,
}

/// What a message takes up on its link, which has it back when this is dropped.
pub struct Room(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Send>);

impl Room {
    /// Room that is given back when `room` is dropped.
    #[must_use]
    pub fn new(room: impl Send + 'static) -> Self {
        Self(Box::new(room))
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

/// Where the answer to a submission goes; nobody may be there any more.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Result<RecordId, SubmitError>>);

impl Answer {
    /// An answer for whoever holds the other end.
    #[must_use]
    pub fn new(client: oneshot::Sender<Result<RecordId, SubmitError>>) -> Self {
        Self(client)
    }

    pub(super) fn send(self, result: Result<RecordId, Refusal>) {
        drop(self.0.send(result.map_err(SubmitError::from)));
    }
}
