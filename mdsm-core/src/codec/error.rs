//! What was wrong, in which field, at which byte.

use std::fmt;

use thiserror::Error;

use crate::types::BoundError;

/// Bytes that are not the encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
//= harness/spec/storage.md#sto-1-hierarchy-and-encoding
//# STO-1.7 (ours): A refusal by a decoder SHOULD name the kind of fault, the path of the field and
//# the offset of the byte.
pub struct DecodeError {
    /// Names of the enclosing fields, innermost first.
    path: Vec<Step>,
    /// Byte at which the offending value starts.
    pub offset: usize,
    /// What was wrong.
    pub kind: DecodeErrorKind,
}

/// One step of the path to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Field(&'static str),
    Element(usize),
}

/// What can be wrong with an encoding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeErrorKind {
    /// The bytes end inside a value.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the value still needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the value.
    #[error("{bytes} bytes after the end of the value")]
    Trailing {
        /// Bytes left over.
        bytes: usize,
    },
    /// The four letters belong to another type.
    #[error("tag \"{}\" where \"{}\" is expected", found.escape_ascii(), expected.escape_ascii())]
    Tag {
        /// Letters found.
        found: [u8; 4],
        /// Letters of this type.
        expected: [u8; 4],
    },
    /// A version that this program does not know.
    #[error("version {found}, this program knows version {known}")]
    Version {
        /// Version found.
        found: u8,
        /// Version known.
        known: u8,
    },
    /// A count or a text out of bounds.
    #[error(transparent)]
    Bound(#[from] BoundError),
    /// An enum or option tag that stands for nothing.
    #[error("tag {found} stands for nothing here")]
    Variant {
        /// Tag found.
        found: u8,
    },
    /// A set or map whose keys do not strictly ascend.
    #[error("key is not above the one before it")]
    Order,
    /// A rule of this field is broken.
    #[error("{rule}")]
    Rule {
        /// The rule, in words.
        rule: &'static str,
    },
}

impl DecodeError {
    pub(crate) fn new(offset: usize, kind: impl Into<DecodeErrorKind>) -> Self {
        Self { path: Vec::new(), offset, kind: kind.into() }
    }

    pub(crate) fn inside(self, field: &'static str) -> Self {
        self.step(Step::Field(field))
    }

    pub(crate) fn inside_element(self, index: usize) -> Self {
        self.step(Step::Element(index))
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// The field, outermost name first, as in `Item.records[3].record.metadata.created`.
    #[must_use]
    pub fn field(&self) -> String {
        use fmt::Write as _;
        let mut text = String::new();
        for step in self.path.iter().rev() {
            let written = match step {
                Step::Field(name) if text.is_empty() => write!(text, "{name}"),
                Step::Field(name) => write!(text, ".{name}"),
                Step::Element(index) => write!(text, "[{index}]"),
            };
            written.expect("writing to a String does not fail");
        }
        text
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.field(), self.offset, self.kind)
    }
}

impl std::error::Error for DecodeError {}
