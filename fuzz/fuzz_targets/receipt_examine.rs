#![no_main]

fuzz::target!("receipt_examine");
