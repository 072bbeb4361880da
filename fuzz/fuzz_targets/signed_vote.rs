#![no_main]

fuzz::target!("signed_vote");
