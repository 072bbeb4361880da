#![no_main]

fuzz::target!("parcel_open");
