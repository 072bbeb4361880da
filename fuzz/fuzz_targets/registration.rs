#![no_main]

fuzz::target!("registration");
