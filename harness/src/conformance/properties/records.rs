//! Where content goes, and how records fill Items. [STO-3] to [STO-6]

use serde_json::json;

use super::draw::{draws, field};
use super::{Property, claim};
use crate::conformance::sentences::REFERENCE;
use crate::conformance::subject::{Interrupt, Subject};
use crate::seed::Draw as _;

pub(super) const PROPERTIES: &[Property] = &[
    Property {
        id: "paper.items.at-most-ten",
        title: "records of a turn fill Items of at most 10, and none is lost or doubled",
        requirements: &["STO-3.1"],
        ops: &["paper.items"],
        check: at_most_ten,
    },
    Property {
        id: "paper.admit.where-it-goes",
        title: "small open content can stand in an Item; private content and large content go to the database",
        requirements: &["STO-4.2", "STO-5.1", "STO-6.1"],
        ops: &["paper.admit"],
        check: where_it_goes,
    },
];

fn at_most_ten(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let mut draw = draws(subject);
    let drawn: Vec<u32> = (0..8).map(|_| draw.below(400)).collect();
    let counts = [0, 1, 9, 10, 11, 19, 20, 21, 100, 101].into_iter().chain(drawn);
    let mut asked = 0;
    for records in counts {
        let result = subject.call("paper.items", json!({"records": records}))?;
        let items: Vec<u32> =
            field(&result, "items", |list| list.each(|size| size.integer::<u32>()))?;
        claim(items.iter().all(|size| *size <= 10), || {
            format!("{records} records: an Item holds {:?}", items.iter().max())
        })?;
        let held: u64 = items.iter().map(|size| u64::from(*size)).sum();
        claim(held == u64::from(records), || format!("{records} records: Items hold {held}"))?;
        asked += 1;
    }
    Ok(format!("{asked} turns"))
}

/// Bytes of content that fit into an Item, by the reading; for the readings that count the whole encoded
/// record the bound on content is lower by what surrounds it, so only content above it is judged.
fn fits(subject: &Subject<'_>) -> Result<(u64, bool), Interrupt> {
    let declared = subject.hello().readings.get("AMB-STO-4");
    match declared.map_or(REFERENCE, String::as_str) {
        "R1" => Ok((102_400, true)),
        "R2" => Ok((100_000, true)),
        "R3" => Ok((102_400, false)),
        "R4" => Ok((100_000, false)),
        other => {
            Err(Interrupt::Broken(format!("AMB-STO-4={other}: the register has no such reading")))
        }
    }
}

fn where_it_goes(subject: &mut Subject<'_>) -> Result<String, Interrupt> {
    let (fits, is_exact) = fits(subject)?;
    let mut asked = 0;
    let mut place = |bytes: u64, private: bool, expected: &str| -> Result<(), Interrupt> {
        let args = json!({"bytes": bytes.to_string(), "private": private});
        let result = subject.call("paper.admit", args)?;
        let found = field(&result, "place", |place| place.text().map(str::to_owned))?;
        asked += 1;
        claim(found == expected, || {
            format!("{bytes} bytes, private {private}: {found} where {expected} is expected")
        })
    };
    place(1, false, "item")?;
    place(1_000, false, "item")?;
    if is_exact {
        place(fits, false, "item")?;
    }
    place(fits + 1, false, "database")?;
    place(1 << 32, false, "database")?;
    for bytes in [1, 1_000, fits, fits + 1] {
        place(bytes, true, "database")?;
    }
    Ok(format!("{asked} contents"))
}
