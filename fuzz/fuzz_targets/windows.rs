#![no_main]

fuzz::target!("windows");
