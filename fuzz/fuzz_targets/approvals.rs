#![no_main]

fuzz::target!("approvals");
