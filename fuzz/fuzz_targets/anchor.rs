#![no_main]

fuzz::target!("anchor");
