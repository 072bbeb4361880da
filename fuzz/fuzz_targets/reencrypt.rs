#![no_main]

fuzz::target!("reencrypt");
