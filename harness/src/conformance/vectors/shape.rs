//! A vector, a file of them, and their JSON. Spec: PROTOCOL.md, "Vectors".

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::super::class::Class;
use super::super::value::{Field, FieldError};

/// The version of the set of cases.
pub const SUITE: &str = "2026.11";

/// The version of the shape of a file.
pub(super) const SHAPE: u32 = 1;

/// One call and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// Never used for another case.
    pub id: String,
    /// The operation.
    pub op: String,
    /// Its arguments.
    pub args: Value,
    /// What is expected.
    pub expect: Expect,
    /// Sentences of the spec that it tests.
    pub requirements: Vec<String>,
    /// Kinds of bug that it finds.
    pub flags: Vec<String>,
}

/// What is expected of an implementation.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// This in the result.
    Valid(Value),
    /// A rejection of one of these classes.
    Invalid(Vec<Class>),
    /// What the reading asks for that it declares.
    Ambiguous {
        /// The point of the register.
        point: String,
        /// By reading.
        readings: BTreeMap<String, Expect>,
    },
}

/// A kind of bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// What is done wrong.
    pub bug: String,
    /// What it leads to.
    pub effect: String,
    /// Where to read on.
    pub see: Option<String>,
}

/// A file of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorFile {
    /// Its name, without the ending.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// The flags that its vectors carry.
    pub flags: BTreeMap<String, Flag>,
    /// The vectors, in order.
    pub vectors: Vec<Vector>,
}

/// A file that has another shape.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// Not JSON.
    #[error("{name}.json: {problem}")]
    Json {
        /// The file.
        name: String,
        /// Where and why.
        problem: String,
    },
    /// A field is not what it should be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Vector {
    /// Its JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let Value::Object(mut fields) = self.expect.json() else { unreachable!("an object") };
        fields.insert("id".to_owned(), json!(self.id));
        fields.insert("op".to_owned(), json!(self.op));
        fields.insert("args".to_owned(), self.args.clone());
        fields.insert("requirements".to_owned(), json!(self.requirements));
        fields.insert("flags".to_owned(), json!(self.flags));
        Value::Object(fields)
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let texts = |name: &str| field.get(name)?.each(|text| text.text().map(str::to_owned));
        Ok(Self {
            id: field.get("id")?.text()?.to_owned(),
            op: field.get("op")?.text()?.to_owned(),
            args: field.get("args")?.json().clone(),
            expect: Expect::read(field)?,
            requirements: texts("requirements")?,
            flags: texts("flags")?,
        })
    }
}

impl Expect {
    fn json(&self) -> Value {
        match self {
            Self::Valid(ok) => json!({"expect": "valid", "ok": ok}),
            Self::Invalid(classes) => {
                let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
                json!({"expect": "invalid", "classes": names})
            }
            Self::Ambiguous { point, readings } => {
                let readings: Map<String, Value> =
                    readings.iter().map(|(name, expect)| (name.clone(), expect.json())).collect();
                json!({"expect": "ambiguous", "point": point, "readings": readings})
            }
        }
    }

    fn read(field: &Field<'_>) -> Result<Self, FieldError> {
        let expect = field.get("expect")?;
        match expect.text()? {
            "valid" => Ok(Self::Valid(field.get("ok")?.json().clone())),
            "invalid" => {
                let class = |name: &Field<'_>| name.text()?.parse().map_err(|e| name.wrong(e));
                Ok(Self::Invalid(field.get("classes")?.each(class)?))
            }
            "ambiguous" => {
                let readings = field.get("readings")?;
                let names = readings.json().as_object().into_iter().flat_map(Map::keys);
                let read = |name: &String| Ok((name.clone(), Self::read(&readings.get(name)?)?));
                Ok(Self::Ambiguous {
                    point: field.get("point")?.text()?.to_owned(),
                    readings: names.map(read).collect::<Result<_, FieldError>>()?,
                })
            }
            other => Err(expect.wrong(format!("`{other}` is no expectation"))),
        }
    }
}

impl VectorFile {
    /// The text of the file: one vector a line.
    #[must_use]
    pub fn text(&self) -> String {
        let vectors: Vec<String> =
            self.vectors.iter().map(|vector| vector.json().to_string()).collect();
        format!(
            "{{\n\"schema\": {SHAPE},\n\"suite\": {},\n\"about\": {},\n\"flags\": {{\n{}\n}},\n\"vectors\": [\n{}\n]\n}}\n",
            json!(SUITE),
            json!(self.about),
            flags_text(&self.flags),
            vectors.join(",\n"),
        )
    }

    /// Reads a file.
    pub fn read(name: &str, text: &str) -> Result<Self, ShapeError> {
        let json: Value = serde_json::from_str(text).map_err(|error| ShapeError::Json {
            name: name.to_owned(),
            problem: error.to_string(),
        })?;
        let file = Field::whole(name, &json);
        Ok(Self {
            name: name.to_owned(),
            about: file.get("about")?.text()?.to_owned(),
            flags: read_flags(&file)?,
            vectors: file.get("vectors")?.each(Vector::read)?,
        })
    }
}

/// Flags as a file writes them: one a line.
pub(super) fn flags_text(flags: &BTreeMap<String, Flag>) -> String {
    let line = |(name, Flag { bug, effect, see }): (&String, &Flag)| {
        let mut flag = json!({"bug": bug, "effect": effect});
        if let Some(see) = see {
            flag["see"] = json!(see);
        }
        format!("{}: {flag}", json!(name))
    };
    flags.iter().map(line).collect::<Vec<_>>().join(",\n")
}

/// The flags of a file whose shape is one that this program knows.
pub(super) fn read_flags(file: &Field<'_>) -> Result<BTreeMap<String, Flag>, FieldError> {
    let schema = file.get("schema")?;
    if schema.integer::<u32>()? != SHAPE {
        return Err(schema.wrong(format!("this program knows {SHAPE}")));
    }
    let flags = file.get("flags")?;
    let mut read = BTreeMap::new();
    for name in flags.json().as_object().into_iter().flat_map(Map::keys) {
        let flag = flags.get(name)?;
        let text = |name: &str| flag.get(name)?.text().map(str::to_owned);
        let see = flag.find("see")?.map(|see| see.text().map(str::to_owned)).transpose()?;
        read.insert(name.clone(), Flag { bug: text("bug")?, effect: text("effect")?, see });
    }
    Ok(read)
}
