//! The parameter table of the spec beside the code. [PRE-1]

use std::path::Path;

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Noise, Set, Variant};

use crate::chain::{Chain, shape};

const COLUMNS: [&str; 19] = [
    "set",
    "number",
    "n",
    "log2 q",
    "chi",
    "flood",
    "w",
    "l",
    "d",
    "B",
    "columns",
    "hops",
    "noise fresh",
    "noise a hop",
    "failure at the last hop, log2",
    "core-SVP classical",
    "quantum",
    "capsule bytes",
    "public key bytes",
];

/// Lines of the table, cell by cell, its heading first.
fn lines() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/reencryption.md");
    let text = std::fs::read_to_string(path).unwrap();
    let cells = |line: &str| {
        let inner = line.trim_matches('|');
        inner.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let table = text.lines().skip_while(|line| !line.starts_with("| set | number |"));
    table.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// What the code says of a set, column by column.
fn said(set: Set) -> Vec<String> {
    let p = set.parameters();
    let chi = match (p.noise, p.dimension) {
        (Noise::Binomial, _) => "binomial",
        (Noise::Table(table), _) => match table.len() {
            13 => "Frodo-640",
            11 => "Frodo-976",
            7 => "Frodo-1344",
            entries => panic!("a table of {entries} entries"),
        },
    };
    // Real encodings, not formulas.
    let chain = Chain::new(set, 1, &[Variant::Public]);
    let sizes = [
        chain.capsules[1].to_bytes().len(),
        chain.keys[0].1.to_bytes().len(),
        chain.rekeys[0].to_bytes().len(),
    ];
    assert_eq!(chain.capsules[0].to_bytes().len(), sizes[0]);
    assert_eq!(shape(set).sizes(), sizes, "{}: sizes by the rules", p.name);
    let mut cells = vec![
        p.name.to_owned(),
        (set as u8).to_string(),
        p.dimension.to_string(),
        p.modulus.log2().to_string(),
        chi.to_owned(),
        p.flood.iter().map(i16::to_string).collect::<Vec<_>>().join(" "),
        p.digits.bits.to_string(),
        p.digits.count.to_string(),
        p.digits.dropped_bits.to_string(),
        p.message_bits.to_string(),
        p.columns.to_string(),
        p.hops_max().to_string(),
        format!("{:.1}", p.fresh_noise),
        format!("{:.1}", p.hop_noise),
        p.failure_log2[p.hops_max()].to_string(),
        p.core_svp.0.to_string(),
        p.core_svp.1.to_string(),
    ];
    cells.extend(sizes.map(|bytes| bytes.to_string()));
    cells
}

#[test]
fn pre_1_7_the_table_of_the_spec_is_that_of_the_code() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.7 (ours): Every key and every capsule MUST name its parameter set, which is one of
    //# S704, S704x3, S976, S1344, W1152-B3, W1792-B3, H1152, Bits704 and Toy16.
    let lines = lines();
    assert_eq!(lines.len(), 2 + Set::ALL.len(), "a heading, a rule, and the sets");
    assert_eq!(lines[0][..19], COLUMNS);
    assert_eq!(lines[0][19..], ["re-encryption key bytes"]);
    for (line, set) in lines[2..].iter().zip(Set::ALL) {
        assert_eq!(*line, said(*set));
        // The set's number is the first byte after the prefix of everything that belongs to it.
        let chain = Chain::new(*set, 1, &[Variant::KeyPrivate]);
        for encoded in [
            chain.keys[0].1.to_bytes(),
            chain.capsules[0].to_bytes(),
            chain.capsules[1].to_bytes(),
            chain.offers[0].clone(),
            chain.rekeys[0].to_bytes(),
        ] {
            assert_eq!(encoded[5], *set as u8, "{set:?}");
        }
    }
}
