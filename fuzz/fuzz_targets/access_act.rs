#![no_main]

fuzz::target!("access_act");
