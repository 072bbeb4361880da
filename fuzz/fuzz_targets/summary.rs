#![no_main]

fuzz::target!("summary");
