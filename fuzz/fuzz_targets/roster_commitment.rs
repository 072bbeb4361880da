#![no_main]

fuzz::target!("roster_commitment");
