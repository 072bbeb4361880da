#![no_main]

fuzz::target!("public_key");
