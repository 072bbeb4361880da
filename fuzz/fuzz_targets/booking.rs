#![no_main]

fuzz::target!("booking");
