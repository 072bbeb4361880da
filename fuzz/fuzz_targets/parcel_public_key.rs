#![no_main]

fuzz::target!("parcel_public_key");
