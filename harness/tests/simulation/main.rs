//! Whole networks in one thread: what must hold under faults, what must be noticed, and that a run is
//! its seed. [CON-5] [CON-6] [CON-7] [CON-8]

mod account;
mod broken;
mod drawn;
mod oracles;
mod repeat;
mod scopes;
mod seeds;
mod strategies;
mod twins;
