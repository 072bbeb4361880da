//! Headers of other chains, forged headers, and too little depth.

use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash as _;

use mdsm_core::anchoring::{
    ChainParameters, ConfirmError, HeaderChain, HeaderError, HeaderFault, examine, funding_script,
};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::Receipt;

use super::super::world::World;
use super::{Case, Check, Fault, case, hold, nothing, refused, text};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "headers.other-chain",
            "headers of another chain confirm no receipt",
            &["ANC-2"],
            other_chain,
        ),
        case("headers.mainnet", "test headers do not pass for Bitcoin's", &["ANC-2"], mainnet),
        case(
            "headers.forged",
            "a broken link, other bits, missing work or a cut header is named",
            &["ANC-2"],
            forged,
        ),
        case(
            "headers.depth",
            "too few confirmations are refused, enough are not",
            &["ANC-2"],
            depth,
        ),
    ]
}

fn parse(bytes: &[u8]) -> Result<HeaderChain, HeaderError> {
    HeaderChain::from_bytes(bytes, ChainParameters::Regtest)
}

fn first_receipt(world: &World) -> Result<Receipt, Fault> {
    let issued = world.receipts.first().ok_or_else(|| nothing("there is no receipt"))?;
    Ok(Receipt::from_bytes(&issued.bytes).map_err(text)?)
}

fn other_chain(world: &World) -> Check {
    let key = bitcoin::secp256k1::SecretKey::from_slice(&[2; 32]).map_err(text)?;
    let mut other = EmbeddedChain::new();
    for _ in 0..world.producer.bitcoin.height() {
        other.mine(&funding_script(&key), 1);
    }
    let headers = parse(&other.headers()).map_err(text)?;
    let receipt = first_receipt(world)?;
    let claim = examine(&receipt, None).map_err(text)?;
    refused("headers of another chain", claim.confirm(&headers, 1), |error| {
        matches!(error, ConfirmError::Branch { .. })
    })?;
    Ok(format!("{} headers", headers.tip() + 1))
}

fn mainnet(world: &World) -> Check {
    refused(
        "regtest headers",
        HeaderChain::from_bytes(&world.headers, ChainParameters::Mainnet),
        |error| matches!(error, HeaderError { height: 0, fault: HeaderFault::Genesis { .. }, .. }),
    )?;
    Ok("the genesis block differs".to_owned())
}

fn forged(world: &World) -> Check {
    let at = 50;
    let offset = at * 80;
    let original: Header = deserialize(&world.headers[offset..offset + 80]).map_err(text)?;
    let with = |header: &Header| {
        let mut bytes = world.headers[..offset + 80].to_vec();
        bytes[offset..].copy_from_slice(&serialize(header));
        bytes
    };
    let expect = |what: &str, bytes: &[u8], expected: fn(&HeaderFault) -> bool| {
        refused(what, parse(bytes), |error| {
            error.height == at && error.offset == offset && expected(&error.fault)
        })
    };
    parse(&with(&original)).map_err(text)?;
    let linked = Header { prev_blockhash: bitcoin::BlockHash::all_zeros(), ..original };
    expect("a broken link", &with(&linked), |fault| matches!(fault, HeaderFault::Link { .. }))?;
    let bits = bitcoin::CompactTarget::from_consensus(0x2100_ffff);
    let easy = Header { bits, ..original };
    expect("easier bits", &with(&easy), |fault| matches!(fault, HeaderFault::Bits { .. }))?;
    let idle = (0..)
        .map(|nonce| Header { nonce, ..original })
        .find(|header| header.validate_pow(header.target()).is_err())
        .ok_or("every nonce has work")?;
    expect("missing work", &with(&idle), |fault| matches!(fault, HeaderFault::Work))?;
    let cut = &world.headers[..offset + 79];
    expect("a cut header", cut, |fault| matches!(fault, HeaderFault::Truncated { bytes: 79 }))?;
    refused("no header", parse(&[]), |error| {
        matches!(error.fault, HeaderFault::Truncated { bytes: 0 })
    })?;
    Ok("5 forgeries".to_owned())
}

fn depth(world: &World) -> Check {
    let headers = parse(&world.headers).map_err(text)?;
    let receipt = first_receipt(world)?;
    let claim = examine(&receipt, None).map_err(text)?;
    let existed = claim.confirm(&headers, 1).map_err(text)?;
    claim.confirm(&headers, existed.confirmations).map_err(text)?;
    refused(
        "one more than there are",
        claim.confirm(&headers, existed.confirmations + 1),
        |error| matches!(error, ConfirmError::Depth { .. }),
    )?;
    let height = usize::try_from(existed.height).map_err(text)?;
    let short = parse(&world.headers[..(height + 5) * 80]).map_err(text)?;
    refused("five of six", claim.confirm(&short, 6), |error| {
        matches!(error, ConfirmError::Depth { confirmations: 5, asked: 6, .. })
    })?;
    let without = parse(&world.headers[..height * 80]).map_err(text)?;
    refused("headers that end before", claim.confirm(&without, 1), |error| {
        matches!(error, ConfirmError::Height { .. })
    })?;
    hold(existed.confirmations >= 6, || format!("{} confirmations", existed.confirmations))?;
    Ok(format!("{} confirmations", existed.confirmations))
}
