//! ANC-2.9 to ANC-2.11: the chain of headers. The difficulty rule itself: `anchoring/headers.rs`.

use bitcoin::CompactTarget;
use bitcoin::block::Header;
use bitcoin::consensus::{deserialize, serialize};
use harness::build::anchored;
use mdsm_core::anchoring::{ChainParameters, HeaderChain, HeaderError, HeaderFault};

fn regtest(bytes: &[u8]) -> Result<HeaderChain, HeaderError> {
    HeaderChain::from_bytes(bytes, ChainParameters::Regtest)
}

fn header(bytes: &[u8], height: usize) -> Header {
    deserialize(&bytes[80 * height..80 * (height + 1)]).unwrap()
}

/// Counts up the nonce until the hash is at most the target, or until it is not.
fn mined(mut header: Header, enough: bool) -> Vec<u8> {
    while header.target().is_met_by(header.block_hash()) != enough {
        header.nonce += 1;
    }
    serialize(&header)
}

/// Bitcoin's first three blocks: genesis, 1 and 2, as every node serves them.
const MAINNET: &str = concat!(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e",
    "67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e",
    "1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299",
    "010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a5added",
    "f24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61",
);

fn mainnet() -> Vec<u8> {
    let digits = MAINNET.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn anc_2_9_headers_begin_with_genesis_and_each_names_the_one_before() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.9 (ours): A verifier MUST refuse a chain of headers that does not begin with the
    //# genesis block of the Bitcoin network asked for or in which a header does not name the hash
    //# of the header before it.
    let bytes = &anchored().headers;
    assert_eq!(regtest(bytes).unwrap().tip(), 112);
    let on_mainnet = HeaderChain::from_bytes(&mainnet(), ChainParameters::Mainnet);
    assert_eq!(on_mainnet.unwrap().tip(), 2);
    for (chain, network) in
        [(&mainnet(), ChainParameters::Regtest), (bytes, ChainParameters::Mainnet)]
    {
        let error = HeaderChain::from_bytes(chain, network).unwrap_err();
        assert_eq!((error.height, error.offset), (0, 0));
        let found = header(chain, 0).block_hash();
        assert!(matches!(error.fault, HeaderFault::Genesis { found: f, .. } if f == found));
    }
    let error = regtest(&bytes[80..]).unwrap_err();
    assert!(matches!(error.fault, HeaderFault::Genesis { .. }), "from height 1");

    let left_out = [&bytes[..400], &bytes[480..]].concat();
    let (found, expected) = (header(bytes, 5).block_hash(), header(bytes, 4).block_hash());
    let fault = HeaderFault::Link { found, expected };
    assert_eq!(regtest(&left_out).unwrap_err(), HeaderError { height: 5, offset: 400, fault });
    let mut twice = bytes[..480].to_vec();
    twice.extend_from_within(400..480);
    assert!(matches!(regtest(&twice).unwrap_err().fault, HeaderFault::Link { .. }));
    for cut in [1, 79] {
        let error = regtest(&bytes[..80 * 3 + cut]).unwrap_err();
        let fault = HeaderFault::Truncated { bytes: cut };
        assert_eq!(error, HeaderError { height: 3, offset: 240, fault });
    }
}

#[test]
fn anc_2_10_bits_are_those_of_the_difficulty_rule() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.10 (ours): A verifier MUST refuse a header whose bits are not the ones that the
    //# difficulty rule of the Bitcoin network asked for expects at its height.
    let bytes = &anchored().headers;
    // More work than asked for is another difficulty all the same.
    for bits in [0x207f_fffe, 0x2000_ffff, 0x2100_7fff] {
        let mut harder = header(bytes, 10);
        harder.bits = CompactTarget::from_consensus(bits);
        let chain = [&bytes[..800], &mined(harder, true)].concat();
        let fault = HeaderFault::Bits { found: bits, expected: 0x207f_ffff };
        assert_eq!(regtest(&chain).unwrap_err(), HeaderError { height: 10, offset: 800, fault });
    }
    // On Bitcoin itself nobody gets away with the difficulty of a test network.
    let mut easy = header(&mainnet(), 2);
    easy.bits = CompactTarget::from_consensus(0x207f_ffff);
    let chain = [&mainnet()[..160], &mined(easy, true)].concat();
    let error = HeaderChain::from_bytes(&chain, ChainParameters::Mainnet).unwrap_err();
    let fault = HeaderFault::Bits { found: 0x207f_ffff, expected: 0x1d00_ffff };
    assert_eq!(error, HeaderError { height: 2, offset: 160, fault });
}

#[test]
fn anc_2_11_a_hash_above_its_target_is_refused() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.11 (ours): A verifier MUST refuse a header whose hash is above the target that its
    //# bits state.
    let bytes = &anchored().headers;
    let worked = [&bytes[..1_600], &mined(header(bytes, 20), true)].concat();
    assert_eq!(regtest(&worked).unwrap().tip(), 20);
    let idle = [&bytes[..1_600], &mined(header(bytes, 20), false)].concat();
    let error = HeaderError { height: 20, offset: 1_600, fault: HeaderFault::Work };
    assert_eq!(regtest(&idle).unwrap_err(), error);

    let mut nonce = header(&mainnet(), 2);
    nonce.nonce ^= 1;
    let chain = [&mainnet()[..160], &serialize(&nonce)].concat();
    let error = HeaderChain::from_bytes(&chain, ChainParameters::Mainnet).unwrap_err();
    assert_eq!(error.fault, HeaderFault::Work);
}

#[test]
fn anc_2_16_a_chain_with_too_little_work_is_refused() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.16 (ours): A verifier MUST refuse a chain of headers whose total work is below the
    //# work asked for, where mainnet's block 824,000 is asked for by default.
    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin).header;
    let bytes = bitcoin::consensus::serialize(&genesis);
    let chain = HeaderChain::from_bytes(&bytes, ChainParameters::Mainnet).unwrap();
    assert_eq!(chain.work(), genesis.work());
    assert_eq!(chain.require_work(genesis.work()), Ok(()), "as much as is asked for");
    let refused = chain.require_work(ChainParameters::Mainnet.work_min()).unwrap_err();
    assert_eq!((refused.headers, refused.found), (1, genesis.work()));
    let one_more =
        genesis.work() + bitcoin::Work::from_be_bytes(std::array::from_fn(|at| u8::from(at == 31)));
    assert!(chain.require_work(one_more).is_err());
    assert_eq!(ChainParameters::Regtest.work_min(), bitcoin::Work::from_be_bytes([0; 32]));
}
