#![no_main]

fuzz::target!("item_block");
