//! I20: what is signed reads back as it was, and with any byte changed it is refused. [STO-1] [CON-7]

use mdsm_core::codec::{Decode, Encode, Reader};

use crate::oracle::{Verdict, claim};

/// Holds a signed value to its encoding: it reads back, and with the byte at each of these places
/// changed it does not decode, or what it decodes to is refused.
pub fn wire<T: Encode + Decode + PartialEq>(
    value: &T,
    changes: impl IntoIterator<Item = (usize, u8)>,
    is_taken: impl Fn(&T) -> bool,
) -> Verdict {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    let back = read::<T>(&bytes);
    claim(back.as_ref() == Some(value), || format!("{bytes:02x?} does not read back"))?;
    let len = bytes.len();
    for (place, mask) in changes {
        let place = place % len;
        bytes[place] ^= mask.max(1);
        let taken = read::<T>(&bytes).is_some_and(|changed| is_taken(&changed));
        claim(!taken, || format!("byte {place} of {bytes:02x?} was changed and it is taken"))?;
        bytes[place] ^= mask.max(1);
    }
    Ok(())
}

fn read<T: Decode>(bytes: &[u8]) -> Option<T> {
    let mut reader = Reader::new(bytes);
    let value = T::decode(&mut reader).ok()?;
    reader.finish().is_ok().then_some(value)
}
