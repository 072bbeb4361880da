//! What a driver is told.

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
