//! Values that outweigh those of a file.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::error::{SettingsError, value};

/// One value, `KEY=VALUE`: the key as in the file, with a dot after the name of a section, and the value as in the
/// file, or a text without quotation marks: `bitcoin.poll_ms=1000`, `listen=127.0.0.1:7700`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    key: String,
    value: Value,
}

impl Setting {
    /// A value of a key.
    #[must_use]
    pub fn new(key: &str, value: impl Into<Value>) -> Self {
        Self { key: key.to_owned(), value: value.into() }
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, written) = text.split_once('=').ok_or("is not KEY=VALUE")?;
        let (key, written) = (key.trim(), written.trim());
        if key.split('.').any(str::is_empty) {
            return Err(format!("{key:?} is no key"));
        }
        let read = toml::from_str::<Table>(&format!("value = {written}"));
        let value =
            read.ok().filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
        Ok(Self {
            key: key.to_owned(),
            value: value.unwrap_or_else(|| Value::String(written.to_owned())),
        })
    }
}

/// What a file says with some of its values replaced.
pub(super) fn replaced<T: DeserializeOwned>(
    mut file: Table,
    settings: &[Setting],
) -> Result<T, SettingsError> {
    for setting in settings {
        let (mut table, mut names) = (&mut file, setting.key.split('.').peekable());
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                table.insert(name.to_owned(), setting.value.clone());
                break;
            }
            let inner = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table = inner
                .as_table_mut()
                .ok_or_else(|| value(&setting.key, format!("{name} is no section")))?;
        }
    }
    let keys: Vec<&str> = settings.iter().map(|setting| setting.key.as_str()).collect();
    T::deserialize(file)
        .map_err(|error| value(format!("with {} set", keys.join(", ")), error.message()))
}
