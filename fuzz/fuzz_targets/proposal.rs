#![no_main]

fuzz::target!("proposal");
