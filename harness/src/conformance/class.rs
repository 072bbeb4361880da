//! The error classes of the adapter protocol, a closed list. [STO-1]

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident = $name:literal,)*) => {
        /// What a rejection says is wrong with the input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class {
            $($(#[$doc])* $class,)*
        }

        impl Class {
            /// All of them, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$class),*];

            /// The name on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
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
    /// The first four letters are those of another value.
    Tag = "tag",
    /// The version byte is unknown.
    Version = "version",
    /// A count, a length or a number is out of its bounds.
    Bound = "bound",
    /// A tag of an option, an enumeration or a bool stands for nothing.
    Variant = "variant",
    /// Keys of a map or set do not strictly ascend.
    Order = "order",
    /// Fields contradict each other, or break a rule of a field that is no bound.
    Rule = "rule",
    /// A public key is no point, or of small order.
    Key = "key",
    /// A signature does not hold.
    Signature = "signature",
    /// An index, a size or the length of a path do not fit each other.
    Shape = "shape",
    /// A path leads to another root.
    Root = "root",
    /// The content is not the one that the receipt is for.
    Content = "content",
    /// The receipt has no Bitcoin part.
    Unanchored = "unanchored",
    /// Not a Bitcoin transaction with exactly one MDSM output.
    Transaction = "transaction",
    /// It is of another epoch.
    Epoch = "epoch",
    /// The headers are no chain with proof of work, or do not hold the transaction deep enough.
    Headers = "headers",
    /// A signer is not of the electorate.
    Outsider = "outsider",
    /// Too few signers.
    Quorum = "quorum",
    /// What is shown is no offence.
    Unproven = "unproven",
    /// A sealed file or a capsule was altered, or the key is another one.
    Authentication = "authentication",
    /// A rule of the chain, the roster or access refuses it.
    Refused = "refused",
}

/// A name that is no class.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no error class")]
pub struct ClassError {
    /// The name.
    pub name: String,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Class {
    type Err = ClassError;

    fn from_str(name: &str) -> Result<Self, ClassError> {
        let found = Self::ALL.iter().find(|class| class.name() == name);
        found.copied().ok_or_else(|| ClassError { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_are_those_of_the_page() {
        let page = include_str!("../../PROTOCOL.md");
        let (_, rest) = page.split_once("## Error classes").unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let names: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        let ours: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
        assert_eq!(names, ours);
        for class in Class::ALL {
            assert_eq!(class.name().parse(), Ok(*class));
        }
        assert!("Bound".parse::<Class>().is_err());
    }
}
