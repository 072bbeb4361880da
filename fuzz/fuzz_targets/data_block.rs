#![no_main]

fuzz::target!("data_block");
