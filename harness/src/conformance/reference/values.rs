//! `decode`. [STO-1]

use mdsm_core::access::{Act, KeyRecord};
use mdsm_core::codec::Wire;
use mdsm_core::consensus::JournalEntry;
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    Anchor, Block, BlockHeader, Booking, Certificate, DataBlock, Envelope, Events, Evidence,
    Genesis, Item, ItemBlock, Level, Payload, Proposal, Receipt, Record, Registration, Service,
    SignedVote, Summary, Window, root_of,
};
use mdsm_core::node::{Decision, Message};
use mdsm_core::reencryption::{
    Approval, Approvals, Capsule, Delivery, Offer, Parcel, ParcelPublicKey, PublicKey, ReKey,
    SpentOffers,
};
use mdsm_core::roster::RosterCommitment;
use serde_json::{Map, Value, json};

use super::super::value::{Field, bytes};
use super::{Outcome, Refusal};

/// Bytes of a value, and what is hashed of it beside its id.
type Hashed<T> = fn(&T) -> Vec<(&'static str, [u8; 32])>;

pub(super) fn decode(args: &Field<'_>) -> Outcome {
    let (tag, encoded) = (args.get("tag")?.text()?, args.get("bytes")?.bytes()?);
    let encoded = &encoded;
    match tag {
        "MGEN" => read::<Genesis>(encoded, |v| vec![("chain_id", *v.chain_id().as_bytes())]),
        "MREC" => read::<Record>(encoded, |v| vec![("record_id", *v.id().as_bytes())]),
        "MENV" => read::<Envelope>(encoded, |v| vec![("booking_id", *v.booking().id().as_bytes())]),
        "MBKG" => read::<Booking>(encoded, |v| {
            vec![("record_id", *v.record_id().as_bytes()), ("leaf", *v.leaf_hash().as_bytes())]
        }),
        "MITM" => read::<Item>(encoded, |v| vec![("level_root", *v.root().as_bytes())]),
        "MIBL" => read::<ItemBlock>(encoded, |v| {
            vec![("level_root", *root_of(Level::ItemBlock, &v.items).as_bytes())]
        }),
        "MPAY" => read::<Payload>(encoded, |v| vec![("commitment", *v.commitment().as_bytes())]),
        "MBHD" => read::<BlockHeader>(encoded, |_| Vec::new()),
        "MBLK" => read::<Block>(encoded, |v| vec![("hash", *v.hash().as_bytes())]),
        "MDBL" => read::<DataBlock>(encoded, |v| vec![("level_root", *v.root().as_bytes())]),
        "MWIN" => read::<Window>(encoded, |v| vec![("level_root", *v.root().as_bytes())]),
        "MANC" => read::<Anchor>(encoded, |v| vec![("anchor_root", *v.root().as_bytes())]),
        "MRCP" => read::<Receipt>(encoded, |_| Vec::new()),
        "MPUB" => read::<PublicKey>(encoded, |v| vec![("name", *v.digest().as_bytes())]),
        "MCAP" => read::<Capsule>(encoded, |_| Vec::new()),
        "MOFF" => read::<Offer>(encoded, |_| Vec::new()),
        "MRKY" => read::<ReKey>(encoded, |v| vec![("name", *v.digest().as_bytes())]),
        "MAPV" => read::<Approval>(encoded, |_| Vec::new()),
        "MDLV" => read::<Delivery>(encoded, |v| vec![("capsule_id", *v.capsule.id().as_bytes())]),
        "MSPO" => read::<SpentOffers>(encoded, |_| Vec::new()),
        "MPCL" => read::<Parcel>(encoded, |_| Vec::new()),
        "MPPK" => read::<ParcelPublicKey>(encoded, |v| vec![("name", *v.digest().as_bytes())]),
        "MSVT" => read::<SignedVote>(encoded, |_| Vec::new()),
        "MCRT" => read::<Certificate>(encoded, |_| Vec::new()),
        "MPRP" => read::<Proposal>(encoded, |v| vec![("hash", *v.signed.hash().as_bytes())]),
        "MEVD" => read::<Evidence>(encoded, |_| Vec::new()),
        "MEVS" => read::<Events>(encoded, |_| Vec::new()),
        "MSUM" => read::<Summary>(encoded, |_| Vec::new()),
        "MRGN" => read::<Registration>(encoded, |_| Vec::new()),
        "MSVC" => read::<Service>(encoded, |_| Vec::new()),
        "MACT" => read::<Act>(encoded, |_| Vec::new()),
        "MDCN" => read::<Decision>(encoded, |_| Vec::new()),
        "MJRN" => read::<JournalEntry>(encoded, |_| Vec::new()),
        "MMSG" => read::<Message>(encoded, |_| Vec::new()),
        "MKYR" => read::<KeyRecord>(encoded, |_| Vec::new()),
        "MAPS" => read::<Approvals>(encoded, |_| Vec::new()),
        "MRCM" => {
            read::<RosterCommitment>(encoded, |v| vec![("committees", *v.digest().as_bytes())])
        }
        other => Err(Refusal::Unsupported(format!("no value has the tag `{other}`"))),
    }
}

fn read<T: Wire>(encoded: &[u8], hashed: Hashed<T>) -> Outcome {
    let value = T::from_bytes(encoded)?;
    let mut digests = Map::new();
    digests.insert("id".to_owned(), bytes(value.id().as_bytes()));
    for (name, digest) in hashed(&value) {
        digests.insert(name.to_owned(), bytes(digest));
    }
    Ok(json!({"bytes": bytes(value.to_bytes()), "digests": Value::Object(digests)}))
}
