#![no_main]

fuzz::target!("events");
