//! What went over the pipes in a case, as it is shown and kept.
//!
//! Inputs may be a patient's. Long strings are therefore shown by their beginning, length and digest, unless
//! everything is asked for.

use std::fmt::Write as _;

use serde_json::Value;

use crate::rules::merkle::sha256;

/// Characters of a string that are shown.
const SHOWN: usize = 24;
/// Characters up to which a string is shown whole.
const WHOLE: usize = 80;

/// How much of it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Long strings are shortened.
    Redacted,
    /// As it was.
    Full,
}

/// The lines of a case, `>` to the adapter and `<` from it, then its log.
#[must_use]
pub fn text(said: &[(String, String)], log: &[String], detail: Detail) -> String {
    let mut text = String::new();
    let mut line = |mark: &str, line: &str| {
        writeln!(text, "{mark} {line}").expect("writing to a string succeeds")
    };
    for (request, reply) in said {
        line(">", &shown(request, detail));
        line("<", &shown(reply, detail));
    }
    if !log.is_empty() {
        line("#", &format!("its log, last {} lines", log.len()));
        log.iter().for_each(|entry| line("#", entry));
    }
    text
}

fn shown(line: &str, detail: Detail) -> String {
    match (detail, serde_json::from_str::<Value>(line)) {
        (Detail::Redacted, Ok(value)) => redacted(value).to_string(),
        (Detail::Redacted, Err(_)) => shortened(line),
        (Detail::Full, _) => line.to_owned(),
    }
}

fn redacted(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(shortened(&text)),
        Value::Array(values) => values.into_iter().map(redacted).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, redacted(value))).collect()
        }
        other => other,
    }
}

fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= WHOLE {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SHOWN).collect();
    let digest = sha256(&[text.as_bytes()]);
    let digest: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{begin}... ({count} characters, SHA-256 {digest}...)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_strings_are_redacted_unless_all_is_asked_for() {
        let content = "5361".repeat(50);
        let request = format!(r#"{{"id":1,"args":{{"content":"{content}","size":200}}}}"#);
        let said = [(request.clone(), "(died)".to_owned())];
        let short = text(&said, &["boom".to_owned()], Detail::Redacted);
        assert!(
            !short.contains(&content) && short.contains("(200 characters, SHA-256 "),
            "{short}"
        );
        assert!(short.contains("< (died)\n") && short.ends_with("# boom\n"));
        assert!(text(&said, &[], Detail::Full).contains(&request));
        assert!(
            !text(&[("x".repeat(500), String::new())], &[], Detail::Redacted)
                .contains(&"x".repeat(81))
        );
    }
}
