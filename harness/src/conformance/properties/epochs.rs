//! Credit over hundreds of epochs: histories too long to be stored, told by the rules when they are asked.
//! [COM-6] [COM-7]

use super::{Property, claim};
use crate::conformance::judge::{Judged, judge};
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::vectors::histories;

const OPS: &[&str] = &["roster"];

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "roster.credit-has-an-upper-end",
        title: "what would pass the upper end of credit is not earned",
        requirements: &["COM-6.6", "COM-9.2"],
        ops: OPS,
        check: |subject| asked(subject, "roster.credit-has-an-upper-end"),
    },
    Property {
        id: "roster.auditors-below-the-threshold-do-not-move-up",
        title: "a producer's seat goes rather than to an auditor that is below the threshold",
        requirements: &["COM-7.12", "COM-6.9"],
        ops: OPS,
        check: |subject| asked(subject, "roster.auditors-below-the-threshold-do-not-move-up"),
    },
    Property {
        id: "roster.fraud-goes-first",
        title: "of two guilty the one with fraud goes first, also where the other has less credit",
        requirements: &["COM-7.5"],
        ops: OPS,
        check: |subject| asked(subject, "roster.fraud-goes-first"),
    },
];

fn asked(subject: &mut Subject<'_>, id: &str) -> Result<String, Interrupt> {
    let history = histories().into_iter().find(|history| history.id == id);
    let history = history.ok_or_else(|| Interrupt::Undecided(format!("no history {id}")))?;
    let reply = subject.ask(&history.op, history.args.clone())?;
    match judge(&history, &reply, subject.hello()) {
        Judged::Held { .. } => {}
        Judged::Broken(what) | Judged::Undeclared(what) => return Err(Interrupt::Broken(what)),
    }
    let steps = history.args["steps"].as_array().map_or(0, Vec::len);
    claim(steps > 0, || "an empty history".to_owned())?;
    Ok(format!("{steps} blocks and freezes"))
}
