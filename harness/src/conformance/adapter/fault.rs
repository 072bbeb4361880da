//! What can be wrong with an adapter; none of it is ever a rejection.

use std::time::Duration;

use thiserror::Error;

use crate::conformance::protocol::{REPLY_BYTES_MAX, ReplyError};

/// An adapter that did not reply as it should.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The program could not be started.
    #[error("cannot be started: {0}")]
    Start(String),
    /// It ended.
    #[error("died: it ended ({status}) while a reply to {request} was due")]
    Died {
        /// Exit code or signal.
        status: String,
        /// What it was asked.
        request: String,
    },
    /// It held too much memory, and was ended.
    #[error("died: ended at {mib} MiB of memory, {mib_max} MiB allowed, during {request}")]
    Memory {
        /// How much it held.
        mib: u64,
        /// How much it may.
        mib_max: u64,
        /// What it was asked.
        request: String,
    },
    /// It took too long, and was ended.
    #[error("timed out: no line within {:.1} s of {request}; is the output flushed after each line?", limit.as_secs_f64())]
    Late {
        /// What it was asked.
        request: String,
        /// How long it had.
        limit: Duration,
    },
    /// The line is no JSON object.
    #[error("garbage: reply to {request}: {what}")]
    Garbage {
        /// What it was asked.
        request: String,
        /// What is wrong.
        what: String,
    },
    /// The line does not end.
    #[error("garbage: reply to {request}: a line of more than {REPLY_BYTES_MAX} bytes")]
    Endless {
        /// What it was asked.
        request: String,
    },
    /// A line that was not asked for.
    #[error("garbage: noise on standard output {when}: {line}")]
    Noise {
        /// When it was found.
        when: String,
        /// How it begins.
        line: String,
    },
    /// The reply has another shape.
    #[error("wrong shape: reply to {request}: {error}")]
    Shape {
        /// What it was asked.
        request: String,
        /// What is wrong.
        error: ReplyError,
    },
    /// It did not end well.
    #[error("{0}")]
    Bye(String),
    /// The run was stopped.
    #[error("{0}")]
    Stopped(String),
}

impl Fault {
    /// The kind, in the words of the page.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Start(_) => "not started",
            Self::Died { .. } | Self::Memory { .. } | Self::Bye(_) => "died",
            Self::Late { .. } => "timed out",
            Self::Garbage { .. } | Self::Endless { .. } | Self::Noise { .. } => "garbage",
            Self::Shape { .. } => "wrong shape",
            Self::Stopped(_) => "stopped",
        }
    }
}
