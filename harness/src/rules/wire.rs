//! The wire format: prefix, borsh, bounds. [STO-1]

use std::fmt;

use borsh::BorshDeserialize;

use super::bounds::Bounds;
use super::mirror;

macro_rules! kinds {
    ($($kind:ident = $tag:literal),* $(,)?) => {
        /// The values that travel on their own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are those of the spec's table of tags")]
        pub enum WireKind { $($kind),* }

        impl WireKind {
            /// All of them, in the order of the spec.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The four letters that open the encoding.
            #[must_use]
            pub fn tag(self) -> [u8; 4] {
                match self { $(Self::$kind => *$tag),* }
            }

            /// The name, as in `ItemBlock`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind)),* }
            }
        }

        /// A decoded value of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are those of the spec's table of tags")]
        pub enum Mirror { $($kind(mirror::$kind)),* }

        impl Mirror {
            /// Which kind it is.
            #[must_use]
            pub fn kind(&self) -> WireKind {
                match self { $(Self::$kind(_) => WireKind::$kind),* }
            }

            /// The whole encoding: tag, version 1, body.
            ///
            /// # Panics
            /// When a list has 2^32 elements or more.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut bytes = self.kind().tag().to_vec();
                bytes.push(1);
                match self { $(Self::$kind(value) => bytes.extend(body(value))),* }
                bytes
            }
        }

        $(impl From<mirror::$kind> for Mirror {
            fn from(value: mirror::$kind) -> Self {
                Self::$kind(value)
            }
        })*

        /// Decodes a value, or says in words why the bytes are not the encoding of one.
        pub fn decode(kind: WireKind, bytes: &[u8]) -> Result<Mirror, String> {
            let rest = bytes.strip_prefix(&kind.tag()).ok_or("another tag")?;
            let rest = rest.strip_prefix(&[1]).ok_or("another version")?;
            match kind { $(WireKind::$kind => {
                let value: mirror::$kind = whole(rest)?;
                value.check()?;
                Ok(value.into())
            })* }
        }
    };
}

kinds! {
    Genesis = b"MGEN",
    Record = b"MREC",
    Envelope = b"MENV",
    Booking = b"MBKG",
    Item = b"MITM",
    ItemBlock = b"MIBL",
    Payload = b"MPAY",
    BlockHeader = b"MBHD",
    Block = b"MBLK",
    DataBlock = b"MDBL",
    Window = b"MWIN",
    Anchor = b"MANC",
    Receipt = b"MRCP",
    PublicKey = b"MPUB",
    Capsule = b"MCAP",
    Offer = b"MOFF",
    ReKey = b"MRKY",
    Approval = b"MAPV",
    Delivery = b"MDLV",
    SpentOffers = b"MSPO",
    Parcel = b"MPCL",
    ParcelPublicKey = b"MPPK",
    SignedVote = b"MSVT",
    Certificate = b"MCRT",
    Proposal = b"MPRP",
    Evidence = b"MEVD",
    Events = b"MEVS",
    Summary = b"MSUM",
    Registration = b"MRGN",
    Service = b"MSVC",
    Act = b"MACT",
    Decision = b"MDCN",
    JournalEntry = b"MJRN",
    Message = b"MMSG",
    KeyRecord = b"MKYR",
    Approvals = b"MAPS",
    RosterCommitment = b"MRCM",
}

impl fmt::Display for WireKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The encoding of a value nested in another one: without tag and version.
///
/// # Panics
/// When a list has 2^32 elements or more.
#[must_use]
pub fn body<T: borsh::BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail")
}

/// Bytes of one value and nothing behind it. Borsh reserves at most 4 KiB for a list and 1 MiB for
/// a byte string before their elements arrive, whatever the count says.
fn whole<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, String> {
    T::try_from_slice(bytes).map_err(|error| error.to_string())
}
