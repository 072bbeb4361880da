//! Header files, on both networks. [ANC-2]

use mdsm_core::anchoring::{ChainParameters, HeaderChain};

use super::{Verdict, claim};
use crate::rules::headers::{HEADER_BYTES, genesis, hash, is_chain, mine};

/// Holds a headers file to the rules: as it is, and once more with link, bits and work repaired, so
/// that the reference is also seen to accept.
pub fn headers(bytes: &[u8]) -> Verdict {
    for network in [ChainParameters::Mainnet, ChainParameters::Regtest] {
        let found = HeaderChain::from_bytes(bytes, network);
        match &found {
            Ok(chain) => {
                claim(bytes.len() == (chain.tip() + 1) * HEADER_BYTES && is_linked(bytes), || {
                    format!("headers: {network:?} takes what is no chain")
                })?
            }
            Err(error) => claim(
                error.offset == error.height * HEADER_BYTES && error.offset <= bytes.len(),
                || format!("headers: byte {} of {} is named", error.offset, bytes.len()),
            )?,
        }
        if network == ChainParameters::Regtest {
            claim(found.is_ok() == is_chain(bytes), || {
                format!("headers: {found:?} on regtest, the rules say {}", is_chain(bytes))
            })?;
        }
    }
    repaired(bytes)
}

/// A chain with the Merkle roots that the input gives.
fn repaired(bytes: &[u8]) -> Verdict {
    let mut chain = vec![genesis()];
    for root in bytes.as_chunks::<32>().0.iter().take(8) {
        let parent = chain[chain.len() - 1];
        chain.push(mine(&parent, root));
    }
    let found = HeaderChain::from_bytes(&chain.concat(), ChainParameters::Regtest);
    match found {
        Ok(taken) => claim(taken.tip() + 1 == chain.len(), || {
            format!("headers: height {} of {} headers", taken.tip(), chain.len())
        }),
        Err(error) => Err(format!("headers: a chain by the rules is refused: {error}")),
    }
}

fn is_linked(bytes: &[u8]) -> bool {
    let (headers, rest) = bytes.as_chunks::<HEADER_BYTES>();
    rest.is_empty() && headers.windows(2).all(|pair| pair[1][4..36] == hash(&pair[0]))
}
