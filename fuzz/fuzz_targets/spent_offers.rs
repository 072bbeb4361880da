#![no_main]

fuzz::target!("spent_offers");
