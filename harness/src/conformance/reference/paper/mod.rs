//! `paper.*`: what any implementation of the paper can be asked, over the code of the reference.
//!
//! `records` cuts, hashes and proves; `committees` ranks, credits and replaces; `sharing` re-encrypts.

mod committees;
mod records;
mod sharing;

pub(super) use committees::{credit, rank, replace};
pub(super) use records::{admit, items, minutes, prove, verify, window};
pub(super) use sharing::{
    decrypt as pre_decrypt, encrypt as pre_encrypt, keys as pre_keys, offer as pre_offer,
    re_encrypt as pre_re_encrypt, rekey as pre_rekey,
};
