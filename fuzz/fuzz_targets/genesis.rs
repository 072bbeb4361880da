#![no_main]

fuzz::target!("genesis");
