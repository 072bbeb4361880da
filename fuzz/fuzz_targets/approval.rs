#![no_main]

fuzz::target!("approval");
