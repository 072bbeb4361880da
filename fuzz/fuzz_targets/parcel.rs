#![no_main]

fuzz::target!("parcel");
