//! The anchor in a Bitcoin transaction, read byte by byte. [ANC-1] [ANC-2]
//!
//! Legacy serialisation: version 4 bytes, inputs, outputs, lock time 4 bytes. A count is one byte,
//! or 0xFD, 0xFE, 0xFF and 2, 4, 8 bytes, in the shortest form. A transaction has an input, since
//! a count of 0 there is how the form with witness begins.

use super::mirror::Bytes32;

/// Epoch and anchor root in the one MDSM output of version 1, or why there is no such output.
pub fn anchor_output(transaction: &[u8]) -> Result<(u32, Bytes32), &'static str> {
    if transaction.len() == 64 {
        return Err("64 bytes, could be two hashes");
    }
    let scripts = output_scripts(transaction).ok_or("not a transaction in legacy serialisation")?;
    let marked: Vec<&[u8]> = scripts.into_iter().filter(|script| counts(script)).collect();
    let [script] = marked[..] else { return Err("not exactly one MDSM output") };
    let payload = script.strip_prefix(b"\x6a\x29MDSM\x01").ok_or("another form or version")?;
    let (epoch, root) = payload.split_first_chunk().ok_or("too short")?;
    let root = root.try_into().map_err(|_| "not 43 bytes")?;
    Ok((u32::from_le_bytes(*epoch), root))
}

/// OP_RETURN and a whole push of data that opens with `MDSM`, whatever follows.
fn counts(script: &[u8]) -> bool {
    let Some(rest) = script.strip_prefix(&[0x6a]) else { return false };
    let Some((&opcode, rest)) = rest.split_first() else { return false };
    let length_bytes = match opcode {
        0x01..=0x4b => 0,
        0x4c => 1,
        0x4d => 2,
        0x4e => 4,
        _ => return false,
    };
    let Some((length, data)) = rest.split_at_checked(length_bytes) else { return false };
    let length = match length_bytes {
        0 => u64::from(opcode),
        _ => little_endian(length),
    };
    let Ok(length) = usize::try_from(length) else { return false };
    data.get(..length).is_some_and(|push| push.starts_with(b"MDSM"))
}

/// The scripts of all outputs; `None` when the bytes are not one transaction.
fn output_scripts(transaction: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = transaction;
    take(&mut rest, 4)?;
    let inputs = compact(&mut rest)?;
    if inputs == 0 {
        return None;
    }
    for _ in 0..inputs {
        take(&mut rest, 36)?;
        let script_bytes = compact(&mut rest)?;
        take(&mut rest, script_bytes)?;
        take(&mut rest, 4)?;
    }
    let mut scripts = Vec::new();
    for _ in 0..compact(&mut rest)? {
        take(&mut rest, 8)?;
        let script_bytes = compact(&mut rest)?;
        scripts.push(take(&mut rest, script_bytes)?);
    }
    take(&mut rest, 4)?;
    rest.is_empty().then_some(scripts)
}

fn take<'a>(rest: &mut &'a [u8], count: u64) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(usize::try_from(count).ok()?)?;
    *rest = left;
    Some(taken)
}

/// A count in its shortest form.
fn compact(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, least) = match take(rest, 1)?[0] {
        0xfd => (2, 0xfd),
        0xfe => (4, 0x1_0000),
        0xff => (8, 0x1_0000_0000),
        small => return Some(small.into()),
    };
    let count = little_endian(take(rest, bytes)?);
    (count >= least).then_some(count)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number * 256 + u64::from(*byte))
}
