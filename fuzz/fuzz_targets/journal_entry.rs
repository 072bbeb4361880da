#![no_main]

fuzz::target!("journal_entry");
