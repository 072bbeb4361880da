//! Why a request got no answer that can be used.

use thiserror::Error;

/// Characters of a node's own words that are kept.
const MESSAGE_CHARS_MAX: usize = 200;

/// A request that failed, by the name of its method.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RpcError {
    /// No answer in time.
    #[error("{method}: no answer within {waited_ms} ms")]
    Timeout {
        /// The method.
        method: &'static str,
        /// How long it was waited.
        waited_ms: u64,
    },
    /// No connection, or one that ended.
    #[error("{method}: {message}")]
    Unreachable {
        /// The method.
        method: &'static str,
        /// In the system's words.
        message: String,
    },
    /// The file with the name and the password cannot be read.
    #[error("{method}: cookie {file}: {message}")]
    Cookie {
        /// The method.
        method: &'static str,
        /// The file.
        file: String,
        /// In the system's words.
        message: String,
    },
    /// An HTTP status without an answer in it; 401 is a wrong password.
    #[error("{method}: HTTP status {status}")]
    Status {
        /// The method.
        method: &'static str,
        /// The status.
        status: u16,
    },
    /// A longer answer than is read.
    #[error("{method}: an answer of more than {bytes_max} bytes")]
    TooLarge {
        /// The method.
        method: &'static str,
        /// Bytes that are read.
        bytes_max: usize,
    },
    /// Something else than the method answers.
    #[error("{method}: the answer is not {expected}")]
    Malformed {
        /// The method.
        method: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The node said no.
    #[error("{method}: error {code}: {message}")]
    Refused {
        /// The method.
        method: &'static str,
        /// Its code, as Bitcoin Core numbers them.
        code: i64,
        /// In its words, shortened.
        message: String,
    },
}

impl RpcError {
    /// What a node said, without what a terminal would act upon.
    pub(super) fn refused(method: &'static str, code: i64, message: &str) -> Self {
        let plain = message.chars().map(|c| if c.is_control() { ' ' } else { c });
        Self::Refused { method, code, message: plain.take(MESSAGE_CHARS_MAX).collect() }
    }

    /// Whether the node answered, and said no.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}
