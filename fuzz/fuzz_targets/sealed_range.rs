#![no_main]

fuzz::target!("sealed_range");
