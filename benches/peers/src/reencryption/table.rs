//! The tables of one run.

use super::limit::Limit;
use super::product::{Products, ROWS};
use super::scheme::{BATCH, Operation, Scheme};

/// Everybody's times, operation by operation.
pub fn print_schemes(schemes: &[&Scheme]) {
    println!(
        "times: fastest of many turns. x one: their time over that of our set, the key warm and one \
         capsule at a time; x {BATCH}: over that of one of {BATCH}. Under 1.00 they are faster."
    );
    for (title, operations) in SECTIONS {
        println!("\n{title}");
        print_section(schemes, operations);
    }
    println!(
        "\npacked: the keys are of one owner, sealed together and granted together to one reader; \
         records granted one by one take one ciphertext each."
    );
}

fn print_section(schemes: &[&Scheme], operations: &[Operation]) {
    println!(
        "{:60} {:>10} {:>9} {:>7} {:>7}  {:6} {:>9} {:>9} {:>9} {:>4}  {:13} PQ",
        "",
        "time",
        "a second",
        "x one",
        "x 192",
        "beside",
        "capsule B",
        "after B",
        "key B",
        "bits",
        "notion",
    );
    for scheme in schemes {
        for operation in operations {
            let Some(ns) = scheme.fastest_ns(*operation) else { continue };
            let what = match operation {
                Operation::Reencrypt if scheme.batches() => ", one, key warm",
                Operation::ReencryptCold => ", one, key from its seed",
                Operation::ReencryptBatch => ", 1 of 192",
                Operation::ReencryptAdmitted => ", 1 of 192, digest compared before",
                Operation::DecapsulateBare => ", unchecked",
                _ => "",
            };
            print_row(schemes, scheme, operations[0], &format!("{}{what}", scheme.name), ns);
        }
    }
    for scheme in schemes.iter().filter(|scheme| scheme.keys > 1) {
        if let (Operation::Reencrypt, Some(ns)) =
            (operations[0], scheme.fastest_ns(Operation::Reencrypt))
        {
            let name = format!("{}, 1 of {} packed", scheme.name, scheme.keys);
            let per_key = ns / f64::from(scheme.keys);
            print_row(schemes, scheme, operations[0], &name, per_key);
        }
    }
}

/// One line; `first` is the section's first operation, to which ours is held.
fn print_row(schemes: &[&Scheme], scheme: &Scheme, first: Operation, name: &str, ns: f64) {
    let ours = schemes.iter().find(|ours| ours.name == scheme.beside);
    let against = |of: Operation| {
        let ours = ours.and_then(|ours| ours.fastest_ns(of));
        ours.map_or("-".to_owned(), |ours| format!("{:.2}", ns / ours))
    };
    let one = against(first);
    let batch = match first {
        Operation::Reencrypt => against(Operation::ReencryptBatch),
        _ => String::new(),
    };
    let bytes = |bytes: Option<usize>| bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
    println!(
        "{name:60} {:>10} {:>9.0} {one:>7} {batch:>7}  {:6} {:>9} {:>9} {:>9} {:>4}  {:13} {}",
        time(ns),
        1e9 / ns,
        scheme.beside,
        scheme.capsule_bytes,
        bytes(scheme.reencrypted_bytes),
        bytes(scheme.rekey_bytes),
        scheme.security.classical_bits,
        scheme.security.notion,
        if scheme.security.post_quantum { "yes" } else { "no" },
    );
}

/// Title and operations of each table.
const SECTIONS: [(&str, &[Operation]); 5] = [
    ("key pair", &[Operation::KeyGen]),
    ("encapsulate", &[Operation::Encapsulate]),
    ("re-encryption key, owner's and reader's parts", &[Operation::ReKey]),
    (
        "re-encrypt",
        &[
            Operation::Reencrypt,
            Operation::ReencryptCold,
            Operation::ReencryptBatch,
            Operation::ReencryptAdmitted,
        ],
    ),
    ("open", &[Operation::Decapsulate, Operation::DecapsulateBare]),
];

/// What the machine can do, and which part of it ours uses.
pub fn print_limit(limit: &Limit, schemes: &[&Scheme]) {
    println!("\nlimit of one core");
    for (name, rate) in limit.multiply_adds() {
        println!("{name}: {rate:.1} GMAC/s");
    }
    for (bytes, rate) in limit.reads() {
        println!("read {}: {rate:.1} GB/s", mib(bytes));
    }
    for scheme in schemes {
        let Some(heavy) = scheme.heavy else { continue };
        if let (Some(ns), Some(peak)) =
            (scheme.fastest_ns(Operation::ReencryptBatch), limit.words())
        {
            let rate = heavy.multiply_adds as f64 / ns;
            let share = 100.0 * rate / peak;
            println!("{}, 1 of 192: {rate:.1} GMAC/s, {share:.0}% of the limit", scheme.name);
        }
        if let (Some(ns), Some(peak)) =
            (scheme.fastest_ns(Operation::Reencrypt), limit.read_of(heavy.key_bytes))
        {
            let rate = heavy.key_bytes as f64 / ns;
            let share = 100.0 * rate / peak;
            let size = mib(heavy.key_bytes);
            println!("{}, one: {rate:.1} GB/s, {share:.0}% of reading {size}", scheme.name);
        }
    }
}

/// The product alone, written plainly.
pub fn print_products(products: &Products, schemes: &[&Scheme]) {
    println!("\nproduct of S976 without rerandomisation, {ROWS} capsules at a time");
    println!("{:55} {:>12} {:>12}", "", "capsules/s", "S976 is x");
    let ours = schemes.iter().find(|ours| ours.name == "S976");
    let ours = ours.and_then(|ours| ours.fastest_ns(Operation::ReencryptBatch));
    for (name, work) in &products.works {
        let ns = work.fastest_ns() / ROWS as f64;
        let ratio = ours.map_or("-".to_owned(), |ours| format!("{:.1}", ns / ours));
        println!("{name:55} {:>12.0} {ratio:>12}", 1e9 / ns);
    }
    println!("S976 is ours of a batch of 192, with its rerandomisation, sampling and bytes.");
}

fn time(ns: f64) -> String {
    if ns < 1e6 { format!("{:.1} us", ns / 1e3) } else { format!("{:.2} ms", ns / 1e6) }
}

fn mib(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
