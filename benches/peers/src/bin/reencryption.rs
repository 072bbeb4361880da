//! Prints re-encryption beside its peers, the limit and the plain products, all from one run.
//!
//! `reencryption [ROUNDS]`: in every round everybody takes one turn, `OpenFHE`'s child included.

use peers::reencryption::limit::Limit;
use peers::reencryption::product::Products;
use peers::reencryption::{OpenFhe, Scheme, schemes, table};
use peers::turns::Party;

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(ROUNDS, |rounds| rounds.parse().expect("the argument is a number of rounds"));
    let mut here = schemes();
    for scheme in &here {
        assert!((scheme.opens)(), "{} does not open what it sealed", scheme.name);
    }
    let keys = here.iter().filter_map(|scheme| scheme.heavy.map(|heavy| heavy.key_bytes));
    let (mut limit, mut products) = (Limit::new(keys), Products::new());
    let mut openfhe = OpenFhe::start();
    for _ in 0..rounds {
        here.iter_mut().for_each(Party::take_turn);
        if let Ok(openfhe) = &mut openfhe {
            openfhe.take_turn();
        }
        limit.take_turn();
        products.take_turn();
    }
    let there = openfhe.iter().flat_map(|openfhe| &openfhe.schemes);
    let everybody: Vec<&Scheme> = here.iter().chain(there).collect();
    println!("{rounds} rounds");
    table::print_schemes(&everybody);
    table::print_limit(&limit, &everybody);
    table::print_products(&products, &everybody);
    if let Err(absent) = openfhe {
        println!("\nSKIPPED openfhe: {absent}");
    }
}

/// Enough for the minimum to settle on a shared machine; a round is a third of a second.
const ROUNDS: u32 = 100;
