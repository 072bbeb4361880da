//! Encodings that follow from the declaration of a type.

/// Encodes the named fields in the order given; a rule after `if` is checked when reading, and so
/// is the number of bytes of the whole after `at most`.
macro_rules! wire_struct {
    (
        $name:ident $(at most $bytes_max:path)? { $($field:ident $(if $check:path)?),* $(,)? }
    ) => {
        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $( $crate::codec::Encode::encode(&self.$field, out); )*
            }
        }

        impl $crate::codec::Decode for $name {
            fn decode(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let start = reader.offset();
                let value = Self {
                    $( $field: wire_struct!(@read reader, $field $(, $check)?), )*
                };
                let _ = start;
                $( reader.check_bytes(start, $bytes_max)?; )?
                Ok(value)
            }
        }
    };
    (@read $reader:ident, $field:ident) => { $reader.field(stringify!($field))? };
    (@read $reader:ident, $field:ident, $check:path) => {
        $reader.field_where(stringify!($field), $check)?
    };
}

/// Declares an enum without data whose variants are encoded as the byte given.
macro_rules! wire_enum {
    (
        $(#[$doc:meta])* $name:ident {
            $( $(#[$variant_doc:meta])* $variant:ident = $tag:literal ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant = $tag ),*
        }

        impl $name {
            /// Every variant, in the order of their tags.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];
        }

        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }
        }

        impl $crate::codec::Decode for $name {
            fn decode(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let offset = reader.offset();
                match reader.array()? {
                    $( [$tag] => Ok(Self::$variant), )*
                    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
                    //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the
                    //# encoding of the value which it would yield.
                    [found] => Err($crate::codec::DecodeError::new(
                        offset,
                        $crate::codec::DecodeErrorKind::Variant { found },
                    )),
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};
