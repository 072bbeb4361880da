//! The model checker: every run of a small network, on the shipped consensus code. [CON-7]
//!
//! Two levels. At the level of **certificates** several honest auditors run against an adversary that
//! holds every leader (any block on any parent, at any time), the faulty auditors (they have cast every vote) and the
//! network (it loses, delays and repeats what it likes); nodes crash between steps and inside them. At
//! the level of **messages** one node takes single votes in every order, which is what the first level
//! takes for granted.
//!
//! A state is exact. The state of a node is its machine, what is on its disk and what it ever sent; node
//! states get numbers, what an act makes of one is computed once, and the state of the network is the
//! numbers of its nodes in a `u128`. Claims are judged on what was sent and what is on disk.
//!
//! What is left out, and why it cannot matter:
//! - *Single votes.* A tally does nothing before a quorum, and what it then does depends on the vote
//!   alone. So a node is given certificates, and may be given any that the votes on the wire, together
//!   with those of the faulty, add up to. The first seats sign all of them.
//! - *Symmetry.* Honest auditors differ in their seat only, which decides about audiences and
//!   signatures, and neither exists here. Their order in a state means nothing.
//! - *Proposals that wait.* A proposal that arrives before it can be checked does nothing until it can; it may as
//!   well arrive then. One that was voted upon does nothing any more, so a node that lost it in a crash
//!   is the same node.
//! - *Retries and answers* send only what was sent before, and the network repeats it anyway.
//! - *A node that is down* is one to which nothing is delivered; so it comes back at once. That makes
//!   its votes available sooner, and no claim gets harder to break by that.
//! - *More crashes.* What is reached with fewer crashes can do all that it could with more.
//! - *Observers.* A node without a vote in its epoch sends nothing that was not sent before, and of what it
//!   learns nothing but the end of the epoch matters to it later: then it starts anew. So it only learns
//!   that. Not where life is searched for: there it passes on and answers.
//!
//! The tests run small configurations with and without these and compare what is reached.
//!
//! | file | concern |
//! |---|---|
//! | `config` | what is searched |
//! | `bits` | small sets, the hash |
//! | `universe` | blocks, votes, certificates, entries, and their numbers |
//! | `machines` | the shipped machine, step by step |
//! | `nodes` | disk, wire, crashes, claims about one node |
//! | `certified` | claims about what can be certified |
//! | `suffix` | life |
//! | `search`, `states` | breadth first, and what was reached |
//! | `message` | single votes |
//! | `trace` | counterexamples |
//! | `run` | the command |

mod bits;
mod certified;
mod config;
mod machines;
mod message;
mod nodes;
mod run;
mod search;
mod states;
mod suffix;
mod trace;
mod universe;

pub use certified::Seen;
pub use config::{Config, ConfigError, Reduction};
pub use machines::Act;
pub use message::{Heard, Messages, search as hear};
pub use nodes::{Checks, Claim, Edge};
pub use run::{Job, Preset, Searched, Summary, markdown};
pub use search::{Found, Limits, Search, SearchError, Sofar};
pub use trace::{Event, ReplayError, Step, Trace};
