#![no_main]

fuzz::target!("item");
