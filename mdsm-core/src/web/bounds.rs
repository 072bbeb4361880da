//! What one who asks may take of an institution.

use std::time::Duration;

use crate::params::{FILE_BYTES_MAX, INLINE_CONTENT_BYTES_MAX, METADATA_BYTES_MAX};

/// Limits of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// Bytes of the head of a request: its line and its fields.
    pub head_bytes_max: usize,
    /// Fields of the head.
    pub fields_max: usize,
    /// Bytes of a record in its envelope.
    pub record_bytes_max: usize,
    /// Bytes of a sealed file.
    pub object_bytes_max: u64,
    /// Time in which the head must have come; between two requests as well.
    pub head_time: Duration,
    /// Time from a head to the beginning of its answer.
    pub request_time: Duration,
    /// The same where a file comes with the request.
    pub upload_time: Duration,
    /// Time in which the next piece of a file must have come, or more of an answer been taken.
    pub piece_time: Duration,
    /// Bytes a second of a file that comes, counted from when the first piece was due.
    pub upload_speed_min: u32,
    /// Time of a connection, whatever is under way.
    pub connection_time: Duration,
    /// Time that requests under way have when the server stops.
    pub stop_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: 512,
            head_bytes_max: 16 * 1_024,
            fields_max: 64,
            // Keys, signatures and lengths are far below the last kilobyte.
            record_bytes_max: INLINE_CONTENT_BYTES_MAX + METADATA_BYTES_MAX + 1_024,
            object_bytes_max: FILE_BYTES_MAX,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(30),
            upload_time: Duration::from_secs(600),
            piece_time: Duration::from_secs(30),
            upload_speed_min: 16 * 1_024,
            connection_time: Duration::from_secs(900),
            stop_time: Duration::from_secs(5),
        }
    }
}
