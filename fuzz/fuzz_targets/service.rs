#![no_main]

fuzz::target!("service");
