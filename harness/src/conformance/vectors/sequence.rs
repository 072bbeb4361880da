//! Sequences: what happens to one node, move by move, and what it must and must never have done by then.
//! Spec: PROTOCOL.md, "Sequences".

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::value::{Field, FieldError, bytes, decimal};
use super::shape::{Flag, SHAPE, SUITE, ShapeError, flags_text, read_flags};

/// What happens to one node, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Never used for another case.
    pub id: String,
    /// The claim.
    pub title: String,
    /// Whether something in it must not lead to a vote or to a final block.
    pub is_negative: bool,
    /// Sentences of the spec that it tests.
    pub requirements: Vec<String>,
    /// Kinds of bug that it finds.
    pub flags: Vec<String>,
    /// What `reset` says of the network: that of the file.
    pub network: Arc<Value>,
    /// What happens, in order.
    pub moves: Vec<Move>,
}

/// Something that happens, and what holds behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What happens.
    pub what: What,
    /// What the node has done by now.
    pub must: Vec<Rule>,
    /// What it has not done by now.
    pub never: Vec<Rule>,
}

/// What happens to the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It wakes up with the entries that it has kept.
    Start {
        /// Its clock.
        now: i64,
        /// Its randomness.
        random: [u8; 32],
    },
    /// Messages arrive in one step.
    Step {
        /// Its clock.
        now: i64,
        /// Its randomness.
        random: [u8; 32],
        /// Messages, with the institutions that sent them.
        inbox: Vec<(u32, Vec<u8>)>,
    },
    /// Time passes; each timer that is due by then rings in a step of its own.
    Ring {
        /// The clock behind it.
        until: i64,
        /// Its randomness in each of these steps.
        random: [u8; 32],
    },
    /// It loses everything but its entries.
    Crash,
}

/// Something that a node may have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What.
    pub deed: Deed,
    /// What to say where it is broken.
    pub otherwise: String,
}

/// What a node may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It has sent exactly these bytes: signatures are deterministic.
    Message(Vec<u8>),
    /// It has sent a vote in its own name.
    Vote {
        /// For what.
        kind: Kind,
        /// In which view.
        view: u64,
        /// For this block; for any without.
        block: Option<[u8; 32]>,
        /// For a block that is not this one.
        other_than: Option<[u8; 32]>,
    },
    /// It has let a block be seen as final.
    Final {
        /// This one; any without.
        block: Option<[u8; 32]>,
    },
}

/// What votes are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A block may become part of the chain.
    Notarize,
    /// The view is over without a block.
    Nullify,
    /// A block is final.
    Finalize,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Notarize => "notarize",
            Self::Nullify => "nullify",
            Self::Finalize => "finalize",
        }
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let all = [Self::Notarize, Self::Nullify, Self::Finalize];
        let text = field.text()?;
        let found = all.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| field.wrong(format!("`{text}` is no kind of vote")))
    }
}

/// The number of the node in every sequence.
pub const NODE: u16 = 0;

impl Sequence {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "title": self.title,
            "expect": if self.is_negative { "invalid" } else { "valid" },
            "requirements": self.requirements,
            "flags": self.flags,
            "moves": self.moves.iter().map(Move::json).collect::<Vec<_>>(),
        })
    }

    fn read(field: &Field<'_>, network: &Arc<Value>) -> Result<Self, FieldError> {
        let text = |name: &str| field.get(name)?.text().map(str::to_owned);
        let texts = |name: &str| field.get(name)?.each(|text| text.text().map(str::to_owned));
        let expect = field.get("expect")?;
        Ok(Self {
            id: text("id")?,
            title: text("title")?,
            is_negative: match expect.text()? {
                "invalid" => true,
                "valid" => false,
                other => return Err(expect.wrong(format!("`{other}` is no expectation"))),
            },
            requirements: texts("requirements")?,
            flags: texts("flags")?,
            network: network.clone(),
            moves: field.get("moves")?.each(Move::read)?,
        })
    }
}

impl Move {
    fn json(&self) -> Value {
        let mut fields = Map::new();
        let (name, what) = self.what.json();
        fields.insert(name.to_owned(), what);
        for (name, rules) in [("must", &self.must), ("never", &self.never)] {
            if !rules.is_empty() {
                fields.insert(name.to_owned(), rules.iter().map(Rule::json).collect());
            }
        }
        Value::Object(fields)
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let rules = |name: &str| match field.find(name)? {
            Some(rules) => rules.each(Rule::read),
            None => Ok(Vec::new()),
        };
        Ok(Self { what: What::read(field)?, must: rules("must")?, never: rules("never")? })
    }
}

impl What {
    fn json(&self) -> (&'static str, Value) {
        match self {
            Self::Start { now, random } => {
                ("start", json!({"node": NODE, "now": decimal(now), "random": bytes(random)}))
            }
            Self::Step { now, random, inbox } => {
                let one = |(from, message): &(u32, Vec<u8>)| json!({"from": from, "message": bytes(message)});
                let inbox: Vec<Value> = inbox.iter().map(one).collect();
                (
                    "step",
                    json!({"node": NODE, "now": decimal(now), "random": bytes(random), "inbox": inbox}),
                )
            }
            Self::Ring { until, random } => {
                ("ring", json!({"node": NODE, "until": decimal(until), "random": bytes(random)}))
            }
            Self::Crash => ("crash", json!({"node": NODE})),
        }
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        if let Some(start) = field.find("start")? {
            return Ok(Self::Start {
                now: start.get("now")?.decimal()?,
                random: start.get("random")?.array()?,
            });
        }
        if let Some(step) = field.find("step")? {
            let one = |one: &Field<'_>| -> Result<(u32, Vec<u8>), FieldError> {
                Ok((one.get("from")?.integer()?, one.get("message")?.bytes()?))
            };
            return Ok(Self::Step {
                now: step.get("now")?.decimal()?,
                random: step.get("random")?.array()?,
                inbox: step.get("inbox")?.each(one)?,
            });
        }
        if let Some(ring) = field.find("ring")? {
            return Ok(Self::Ring {
                until: ring.get("until")?.decimal()?,
                random: ring.get("random")?.array()?,
            });
        }
        field.get("crash").map(|_| Self::Crash)
    }
}

impl Rule {
    fn json(&self) -> Value {
        let (name, deed) = match &self.deed {
            Deed::Message(message) => ("message", bytes(message)),
            Deed::Vote { kind, view, block, other_than } => {
                let mut vote = json!({"kind": kind.name(), "view": decimal(view)});
                for (name, hash) in [("block", block), ("other_than", other_than)] {
                    if let Some(hash) = hash {
                        vote[name] = bytes(hash);
                    }
                }
                ("vote", vote)
            }
            Deed::Final { block } => {
                let hash = |hash: &[u8; 32]| json!({"block": bytes(hash)});
                ("final", block.as_ref().map_or_else(|| json!({}), hash))
            }
        };
        json!({name: deed, "else": self.otherwise})
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let hash = |of: &Field<'_>, name: &str| -> Result<Option<[u8; 32]>, FieldError> {
            of.find(name)?.map(|hash| hash.array()).transpose()
        };
        let deed = if let Some(message) = field.find("message")? {
            Deed::Message(message.bytes()?)
        } else if let Some(vote) = field.find("vote")? {
            Deed::Vote {
                kind: Kind::read(&vote.get("kind")?)?,
                view: vote.get("view")?.decimal()?,
                block: hash(&vote, "block")?,
                other_than: hash(&vote, "other_than")?,
            }
        } else {
            Deed::Final { block: hash(&field.get("final")?, "block")? }
        };
        Ok(Self { deed, otherwise: field.get("else")?.text()?.to_owned() })
    }
}

/// The file of sequences.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceFile {
    /// What it is about.
    pub about: String,
    /// What `reset` says of the network.
    pub network: Arc<Value>,
    /// The flags that its sequences carry.
    pub flags: BTreeMap<String, Flag>,
    /// The sequences, in order.
    pub sequences: Vec<Sequence>,
}

impl SequenceFile {
    /// Its name, without the ending.
    pub const NAME: &'static str = "sequences";

    /// The text of the file: one sequence a line.
    #[must_use]
    pub fn text(&self) -> String {
        let sequences: Vec<String> =
            self.sequences.iter().map(|sequence| sequence.json().to_string()).collect();
        format!(
            "{{\n\"schema\": {SHAPE},\n\"suite\": {},\n\"about\": {},\n\"network\": {},\n\"flags\": {{\n{}\n}},\n\"sequences\": [\n{}\n]\n}}\n",
            json!(SUITE),
            json!(self.about),
            self.network,
            flags_text(&self.flags),
            sequences.join(",\n"),
        )
    }

    /// Reads the file.
    pub fn read(text: &str) -> Result<Self, ShapeError> {
        let json: Value = serde_json::from_str(text).map_err(|error| ShapeError::Json {
            name: Self::NAME.to_owned(),
            problem: error.to_string(),
        })?;
        let file = Field::whole(Self::NAME, &json);
        let network = Arc::new(file.get("network")?.json().clone());
        Ok(Self {
            about: file.get("about")?.text()?.to_owned(),
            flags: read_flags(&file)?,
            sequences: file
                .get("sequences")?
                .each(|sequence| Sequence::read(sequence, &network))?,
            network,
        })
    }
}
