//! Kinds of rejection: the closed list of `PROTOCOL.md`.

use std::fmt;

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident = $name:literal),* $(,)?) => {
        /// What is wrong with an input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class { $($(#[$doc])* $class),* }

        impl Class {
            /// All of them, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$class),*];

            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$class => $name),* }
            }
        }
    };
}

classes! {
    /// The bytes end inside a value.
    Truncated = "truncated",
    /// Bytes follow the value.
    Trailing = "trailing",
    /// Letters of another value.
    Tag = "tag",
    /// Unknown version.
    Version = "version",
    /// A count, a length or a number out of its bounds.
    Bound = "bound",
    /// A tag that stands for nothing.
    Variant = "variant",
    /// Keys that do not strictly ascend.
    Order = "order",
    /// A rule of fields that is no bound.
    Rule = "rule",
    /// No point, or of small order.
    Key = "key",
    /// A signature does not hold.
    Signature = "signature",
    /// Index, size and path do not fit.
    Shape = "shape",
    /// A path leads elsewhere.
    Root = "root",
    /// Another content.
    Content = "content",
    /// No Bitcoin part.
    Unanchored = "unanchored",
    /// Not a transaction with one output of ours.
    Transaction = "transaction",
    /// Of another epoch.
    Epoch = "epoch",
    /// No chain with work, or the block is not in it.
    Headers = "headers",
    /// Not of the electorate.
    Outsider = "outsider",
    /// Too few.
    Quorum = "quorum",
    /// No offence.
    Unproven = "unproven",
    /// Altered, or another key.
    Authentication = "authentication",
    /// A rule of chain, roster or access.
    Refused = "refused",
}

impl Class {
    /// The class of a word on the wire.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.name() == name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
