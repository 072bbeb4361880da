//! The values of the adapter protocol: bytes as hex or base64, 64-bit integers as decimal strings,
//! everything else as JSON has it.
//!
//! A [`Field`] is a value with its place, so that an error says which field it is about.

use std::fmt::Display;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::generate::base64;

/// Bytes up to which the harness writes hex.
const HEX_BYTES_MAX: usize = 4_096;
/// What opens a byte string in base64.
const BASE64: &str = "b64:";

/// A value that is not of the type which the page gives for its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{at}: {problem}")]
pub struct FieldError {
    /// The field, as in `steps[3].block.view`.
    pub at: String,
    /// What is expected there and what was found.
    pub problem: String,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Field<'a> {
    /// A whole message.
    #[must_use]
    pub fn whole(name: &str, value: &'a Value) -> Self {
        Self { value, at: name.to_owned() }
    }

    /// The JSON itself.
    #[must_use]
    pub fn json(&self) -> &'a Value {
        self.value
    }

    /// Says what is wrong here.
    pub fn wrong(&self, problem: impl Display) -> FieldError {
        FieldError { at: self.at.clone(), problem: problem.to_string() }
    }

    fn is_not(&self, expected: &str) -> FieldError {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a yes or no",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.wrong(format!("{expected} is expected, {found} was found"))
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> Result<Self, FieldError> {
        self.find(name)?.ok_or_else(|| self.wrong(format!("the field `{name}` is missing")))
    }

    /// A field of an object, if it is there.
    pub fn find(&self, name: &str) -> Result<Option<Self>, FieldError> {
        let object = self.value.as_object().ok_or_else(|| self.is_not("an object"))?;
        let of = |value| Self { value, at: format!("{}.{name}", self.at) };
        Ok(object.get(name).map(of))
    }

    /// The elements of a list.
    pub fn list(&self) -> Result<Vec<Self>, FieldError> {
        let list = self.value.as_array().ok_or_else(|| self.is_not("a list"))?;
        let of = |(index, value)| Self { value, at: format!("{}[{index}]", self.at) };
        Ok(list.iter().enumerate().map(of).collect())
    }

    /// The elements of a list, each read alike.
    pub fn each<T, E: From<FieldError>>(
        &self,
        read: impl FnMut(&Self) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        self.list()?.iter().map(read).collect()
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, FieldError> {
        self.value.as_str().ok_or_else(|| self.is_not("a string"))
    }

    /// A yes or no.
    pub fn yes(&self) -> Result<bool, FieldError> {
        self.value.as_bool().ok_or_else(|| self.is_not("true or false"))
    }

    /// Bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, FieldError> {
        let text = self.text()?;
        read_bytes(text).ok_or_else(|| self.wrong("neither lower-case hex nor b64: and base64"))
    }

    /// So many bytes.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], FieldError> {
        let bytes = self.bytes()?;
        let found = bytes.len();
        let bytes = bytes.try_into();
        bytes.map_err(|_| self.wrong(format!("{N} bytes are expected, {found} were found")))
    }

    /// A 64-bit integer: a decimal string.
    pub fn decimal<T: std::str::FromStr + Display>(&self) -> Result<T, FieldError> {
        let text = self.value.as_str().ok_or_else(|| self.is_not("a decimal string"))?;
        // A plus, leading zeros and a negative zero come out differently.
        let number = text.parse::<T>().ok().filter(|number| number.to_string() == text);
        number.ok_or_else(|| self.wrong(format!("`{text}` is no decimal string of this range")))
    }

    /// An integer of at most 32 bits: a JSON integer.
    pub fn integer<T: TryFrom<i64>>(&self) -> Result<T, FieldError> {
        let number = self.value.as_i64().ok_or_else(|| self.is_not("an integer"))?;
        T::try_from(number).map_err(|_| self.wrong(format!("{number} is out of range")))
    }
}

/// The bytes that a string stands for.
#[must_use]
pub fn read_bytes(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix(BASE64) {
        Some(text) => base64::decode(text),
        None => read_hex(text),
    }
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// Bytes as the harness writes them.
#[must_use]
pub fn bytes(bytes: impl AsRef<[u8]>) -> Value {
    let bytes = bytes.as_ref();
    if bytes.len() <= HEX_BYTES_MAX {
        Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    } else {
        Value::String(format!("{BASE64}{}", base64::encode(bytes)))
    }
}

/// A list of byte strings.
#[must_use]
pub fn list_of_bytes<B: AsRef<[u8]>>(list: impl IntoIterator<Item = B>) -> Value {
    list.into_iter().map(bytes).collect()
}

/// A 64-bit integer as the harness writes it.
#[must_use]
pub fn decimal(number: impl Display) -> Value {
    Value::String(number.to_string())
}

/// An object of these fields; those that are absent are left out.
#[must_use]
pub fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(value: &Value) -> Field<'_> {
        Field::whole("args", value)
    }

    #[test]
    fn bytes_are_read_as_hex_and_as_base64_and_written_by_length() {
        for length in [0, 1, 4_096, 4_097] {
            let plain = vec![0xa5; length];
            let value = bytes(&plain);
            assert_eq!(value.as_str().unwrap().starts_with("b64:"), length > 4_096);
            assert_eq!(field(&value).bytes().unwrap(), plain);
        }
        assert_eq!(field(&json!("b64:")).bytes().unwrap(), b"");
        assert_eq!(field(&json!("b64:pQ==")).bytes().unwrap(), [0xa5]);
        for wrong in [json!("A5"), json!("a"), json!("b64:pQ"), json!("0xa5"), json!(5)] {
            assert!(field(&wrong).bytes().is_err(), "{wrong}");
        }
        assert!(field(&json!("a5a5")).array::<3>().is_err());
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(field(&json!("18446744073709551615")).decimal::<u64>().unwrap(), u64::MAX);
        assert_eq!(field(&json!("-7")).decimal::<i64>().unwrap(), -7);
        for wrong in [json!("07"), json!("+7"), json!("-0"), json!("7.0"), json!(""), json!(7)] {
            assert!(field(&wrong).decimal::<i64>().is_err(), "{wrong}");
        }
        assert!(field(&json!("-1")).decimal::<u64>().is_err());
        assert_eq!(field(&json!(255)).integer::<u8>().unwrap(), 255);
        for wrong in [json!(256), json!(-1), json!(1.5), json!(1e30), json!("1")] {
            assert!(field(&wrong).integer::<u8>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_names_the_field() {
        let value = json!({"steps": [{"view": "1"}, {"view": 2}]});
        let steps = field(&value).get("steps").unwrap().list().unwrap();
        let error = steps[1].get("view").unwrap().decimal::<u64>().unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "args.steps[1].view: a decimal string is expected, a number was found");
        let error = steps[0].get("producer").unwrap_err();
        assert_eq!(error.to_string(), "args.steps[0]: the field `producer` is missing");
        assert!(steps[0].find("producer").unwrap().is_none());
    }
}
