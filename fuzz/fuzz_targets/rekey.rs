#![no_main]

fuzz::target!("rekey");
