//! Sharing among processes: owner, proxy and reader as programs of their own, each with its secrets,
//! and the harness that carries messages from one to the other. [PRE-1] [PRE-3] [PRE-5] [PRE-6] [PRE-7]
//!
//! `mdsm-harness party ROLE` is one of them; `verify` starts them and speaks to each on its standard
//! input and output. Everything random follows from the seed that a party is given at its start.

mod frame;
mod keys;
mod message;
mod owner;
mod process;
mod proxy;
mod reader;

use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

pub use frame::{FRAME_BYTES_MAX, FrameError, read, write};
pub use message::{File, Refusal, Reply, Request, Sealed};
pub use process::{AskError, Process};

/// What a party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Seals files and says who may read them.
    Owner,
    /// Re-encrypts what it cannot read.
    Proxy,
    /// Opens what was re-encrypted for it.
    Reader,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::Proxy => "proxy",
            Self::Reader => "reader",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Owner, Self::Proxy, Self::Reader]
            .into_iter()
            .find(|role| role.to_string() == text)
            .ok_or_else(|| "expected `owner`, `proxy` or `reader`".to_owned())
    }
}

/// A party, from its first request on.
pub enum Party {
    /// Waits for its seed.
    New(Role),
    /// An owner.
    Owner(owner::Owner),
    /// A proxy.
    Proxy(proxy::Proxy),
    /// A reader.
    Reader(reader::Reader),
}

impl Party {
    /// A party that waits for its seed.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::New(role)
    }

    /// Answers a request.
    pub fn answer(&mut self, request: Request) -> Reply {
        let answer = match (&mut *self, request) {
            (Self::New(role), Request::Start { seed, set }) => {
                let keys = keys::Keys::new(*seed.as_bytes(), set);
                let reply = keys.public();
                *self = match role {
                    Role::Owner => Self::Owner(owner::Owner::new(keys)),
                    Role::Proxy => Self::Proxy(proxy::Proxy::new(keys)),
                    Role::Reader => Self::Reader(reader::Reader::new(keys)),
                };
                Ok(reply)
            }
            (Self::New(_), _) => Err(Refused::new(Refusal::Part, "the first request is Start")),
            (Self::Owner(owner), request) => owner.answer(request),
            (Self::Proxy(proxy), request) => proxy.answer(request),
            (Self::Reader(reader), request) => reader.answer(request),
        };
        answer.unwrap_or_else(|Refused { why, words }| Reply::Refused { why, words })
    }
}

/// Answers requests until the stream ends.
///
/// # Errors
/// When what comes is not a request, or an answer cannot be sent.
pub fn serve(role: Role, input: &mut impl Read, output: &mut impl Write) -> Result<(), FrameError> {
    let mut party = Party::new(role);
    while let Some(request) = read(input)? {
        write(output, &party.answer(request))?;
    }
    Ok(())
}

/// A refusal on its way into a reply.
struct Refused {
    why: Refusal,
    words: mdsm_core::types::Text<0, 1_000>,
}

impl Refused {
    fn new(why: Refusal, words: impl fmt::Display) -> Self {
        let printable = |c: &char| (' '..='~').contains(c);
        let words: String = words.to_string().chars().filter(printable).take(1_000).collect();
        Self { why, words: mdsm_core::types::Text::new(words).expect("1,000 printable letters") }
    }

    /// For `map_err`.
    fn with<E: fmt::Display>(why: Refusal) -> impl Fn(E) -> Self {
        move |error| Self::new(why, error)
    }

    fn part(request: &Request) -> Self {
        Self::new(Refusal::Part, format!("{} is not this party's to answer", request.name()))
    }
}

type Answer = Result<Reply, Refused>;
