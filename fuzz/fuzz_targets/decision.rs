#![no_main]

fuzz::target!("decision");
