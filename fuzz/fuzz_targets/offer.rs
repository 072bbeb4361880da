#![no_main]

fuzz::target!("offer");
