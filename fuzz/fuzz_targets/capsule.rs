#![no_main]

fuzz::target!("capsule");
