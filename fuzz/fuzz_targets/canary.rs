#![no_main]

fuzz::target!("canary");
