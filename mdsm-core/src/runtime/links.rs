//! How a driver reaches other institutions.

use std::sync::Arc;

use crate::types::InstitutionId;

/// Links to others. What cannot be sent now is dropped: nodes say again what matters.
pub trait Links: Send + 'static {
    /// Sends the bytes of one message. Never blocks.
    fn send(&self, to: InstitutionId, message: Arc<[u8]>);

    /// Institutions that can be reached now.
    fn connected(&self) -> usize;
}
