#![no_main]

fuzz::target!("merkle");
