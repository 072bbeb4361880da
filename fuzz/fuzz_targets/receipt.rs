#![no_main]

fuzz::target!("receipt");
