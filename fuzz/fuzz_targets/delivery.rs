#![no_main]

fuzz::target!("delivery");
