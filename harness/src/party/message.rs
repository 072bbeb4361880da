//! What a party is asked and what it answers. Only what may pass between parties passes: public keys,
//! capsules, approvals, sealed parcels, deliveries, sealed files. The owner alone is given a file, its
//! own; of an opened file only the digest comes back. [PRE-3]

use mdsm_core::codec::{Decode, DecodeError, Encode, Reader, Wire};
use mdsm_core::params::ROW_FILE_BYTES_MAX;
use mdsm_core::reencryption::{
    Approval, Capsule, Delivery, Parcel, ParcelPublicKey, PublicKey, Set, Variant,
};
use mdsm_core::types::{Blob, Digest, OwnerId, Signature, Text};

/// Bytes of a sealed file that travels in one message: what the longest file of a run seals to, and
/// some.
pub(super) const SEALED_BYTES_MAX: usize = ROW_FILE_BYTES_MAX + 1_024 * 1_024;

/// A file as its owner has it.
pub type File = Blob<1, ROW_FILE_BYTES_MAX>;
/// A sealed file.
pub type Sealed = Blob<1, SEALED_BYTES_MAX>;

macro_rules! messages {
    (
        $(#[$doc:meta])* $name:ident = $tag:literal {
            $(
                $(#[$variant_doc:meta])*
                $number:literal $variant:ident $({
                    $( $(#[$field_doc:meta])* $field:ident: $type:ty ),* $(,)?
                })?
            ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[expect(clippy::large_enum_variant, reason = "a message is made once and sent")]
        pub enum $name {
            $(
                $(#[$variant_doc])*
                $variant $({ $( $(#[$field_doc])* $field: $type ),* })?
            ),*
        }

        impl $name {
            /// Its name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant { .. } => stringify!($variant) ),* }
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $( Self::$variant $({ $( $field ),* })? => {
                        out.push($number);
                        $( $( $field.encode(out); )* )?
                    } )*
                }
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let known = |number: &u8| match number {
                    $( $number => Ok(()), )*
                    _ => Err("a message that this program knows"),
                };
                Ok(match reader.field_where::<u8>("kind", known)? {
                    $( $number => Self::$variant $({
                        $( $field: reader.field(stringify!($field))? ),*
                    })?, )*
                    _ => unreachable!("the kind is one of those above"),
                })
            }
        }

        impl Wire for $name {
            const TAG: [u8; 4] = *$tag;
            const NAME: &'static str = stringify!($name);
        }
    };
}

messages! {
    /// What a party is asked. The first request is `Start`.
    Request = b"HREQ" {
        /// To everybody: make your keys from this seed.
        0 Start {
            /// 32 bytes from which all secrets follow.
            seed: Digest,
            /// Parameter set of the lattice keys.
            set: Set,
        },
        /// To the owner: seal a file under a key of its own, and approve the capsule.
        1 Seal {
            /// The file.
            file: File,
        },
        /// To the reader: offer your part of a re-encryption key.
        2 Offer {
            /// Lattice key of the owner.
            owner_key: Digest,
            /// Where the owner takes parcels.
            owner_parcels: ParcelPublicKey,
            /// Whether the key may name the reader.
            variant: Variant,
        },
        /// To the owner: accept an offer and make the key for the proxy.
        3 Accept {
            /// The offer.
            parcel: Parcel,
            /// Who sent it.
            reader: OwnerId,
            /// Lattice key of the reader.
            reader_key: Digest,
            /// Where the proxy takes parcels.
            proxy_parcels: ParcelPublicKey,
            /// Digest of the record that allows it.
            grant: Digest,
        },
        /// To the proxy: keep a re-encryption key.
        4 Keep {
            /// The key.
            parcel: Parcel,
            /// Who sent it.
            owner: OwnerId,
            /// Lattice key of the owner.
            owner_key: Digest,
            /// Lattice key of the reader.
            reader_key: PublicKey,
        },
        /// To the proxy: re-encrypt a capsule for the reader of a grant.
        5 Deliver {
            /// The grant.
            grant: Digest,
            /// Whose grant it is.
            owner: OwnerId,
            /// The capsule.
            capsule: Capsule,
            /// The owner's word on it.
            approval: Approval,
        },
        /// To the reader: check a delivery and open the file.
        6 Open {
            /// The grant.
            grant: Digest,
            /// Lattice key of the owner.
            owner_key: PublicKey,
            /// The owner.
            owner: OwnerId,
            /// The owner's word on the capsule.
            approval: Approval,
            /// The owner's capsule.
            capsule: Capsule,
            /// The proxy.
            proxy: OwnerId,
            /// What it delivered.
            delivery: Delivery,
            /// The sealed file.
            sealed: Sealed,
        },
        /// To anybody: open a file with whatever keys you have.
        7 Try {
            /// Lattice key of the owner.
            owner_key: PublicKey,
            /// The owner's capsule.
            capsule: Capsule,
            /// This capsule, or what a proxy made of it.
            received: Capsule,
            /// The sealed file.
            sealed: Sealed,
        },
        /// To the owner: take a grant back.
        8 Revoke {
            /// The grant.
            grant: Digest,
        },
        /// To the proxy: a grant was taken back.
        9 Revoked {
            /// The grant.
            grant: Digest,
            /// Who took it back.
            owner: OwnerId,
            /// The owner's signature.
            signature: Signature,
        },
    }
}

messages! {
    /// What a party answers.
    Reply = b"HREP" {
        /// To `Start`: the public keys.
        0 Keys {
            /// Who signs.
            signer: OwnerId,
            /// Lattice key.
            lattice: PublicKey,
            /// Where parcels go.
            parcels: ParcelPublicKey,
        },
        /// To `Seal`: everything that the owner publishes.
        1 Sealed {
            /// The capsule.
            capsule: Capsule,
            /// Its approval.
            approval: Approval,
            /// The file.
            sealed: Sealed,
        },
        /// To `Offer` and `Accept`.
        2 Parcel {
            /// Sealed to its receiver.
            parcel: Parcel,
        },
        /// To `Deliver`.
        3 Delivery {
            /// Signed by the proxy.
            delivery: Delivery,
        },
        /// To `Open` and `Try`: what was read.
        4 Opened {
            /// SHA-256 of the plaintext.
            digest: Digest,
            /// Its bytes.
            bytes: u64,
        },
        /// To `Revoke`.
        5 Revocation {
            /// Signature over the grant.
            signature: Signature,
        },
        /// Where there is nothing to say.
        6 Done,
        /// The request is refused.
        7 Refused {
            /// What for.
            why: Refusal,
            /// The same in words.
            words: Text<0, 1_000>,
        },
    }
}

macro_rules! refusals {
    ($( $(#[$doc:meta])* $name:ident = $number:literal ),* $(,)?) => {
        /// Why a party refuses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal { $( $(#[$doc])* $name = $number ),* }

        impl Encode for Refusal {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }
        }

        impl Decode for Refusal {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let known = |number: &u8| match number {
                    $( $number => Ok(()), )*
                    _ => Err("a refusal that this program knows"),
                };
                Ok(match reader.field_where::<u8>("number", known)? {
                    $( $number => Self::$name, )*
                    _ => unreachable!("the number is one of those above"),
                })
            }
        }
    };
}

refusals! {
    /// It is not this party's part, or not its turn.
    Part = 0,
    /// A parcel is another's or was changed.
    Parcel = 1,
    /// The offer was accepted before.
    Spent = 2,
    /// The offer is not one to be accepted.
    Offer = 3,
    /// No key is there for the grant.
    NoKey = 4,
    /// The grant was revoked.
    Revoked = 5,
    /// The capsule was not approved, or not delivered by whom it should be.
    NotAdmitted = 6,
    /// The key does not take the capsule.
    Reencryption = 7,
    /// The capsule does not decrypt to the owner's.
    Capsule = 8,
    /// The sealed file does not open.
    File = 9,
    /// A signature does not hold.
    Signature = 10,
    /// A key is there for the grant already.
    Kept = 11,
}
