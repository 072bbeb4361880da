//! `adapter`: the reference behind the protocol, or whatever else answers calls, line by line.

use std::io::{self, BufRead, Read as _, Write};

use serde_json::{Value, json};
use thiserror::Error;

use super::protocol::{STEP_BYTES_MAX, VERSION};
use super::reference::network::{Nodes, PROFILES};
use super::reference::{Answer, OPS};
use super::value::{Field, FieldError};

/// A request that cannot be answered: the program ends, for the harness is at fault.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The pipe broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Longer than a request may be.
    #[error("a request of more than {STEP_BYTES_MAX} bytes")]
    TooLong,
    /// No JSON.
    #[error("a request that is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another shape.
    #[error("request: {0}")]
    Field(#[from] FieldError),
}

/// What the reference calls itself.
pub const REFERENCE: &str = "mdsm-core (the reference)";

/// Answers requests until `bye` or the end of the input.
///
/// # Errors
/// What no reply can be given to.
pub fn serve(
    input: &mut impl BufRead,
    output: &mut impl Write,
    name: &str,
    answer: impl Fn(&str, &Value) -> Answer,
) -> Result<(), ServeError> {
    let mut nodes = Nodes::default();
    let bound = u64::try_from(STEP_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        input.take(bound + 1).read_until(b'\n', &mut line)?;
        match line.last() {
            None => return Ok(()),
            Some(b'\n') => {}
            Some(_) if line.len() > STEP_BYTES_MAX => return Err(ServeError::TooLong),
            Some(_) => {}
        }
        let request: Value = serde_json::from_slice(&line)?;
        let reply = reply(&Field::whole("request", &request), name, &answer, &mut nodes)?;
        let Some(reply) = reply else { return Ok(()) };
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
}

fn reply(
    request: &Field<'_>,
    name: &str,
    answer: impl Fn(&str, &Value) -> Answer,
    nodes: &mut Nodes,
) -> Result<Option<Value>, FieldError> {
    let id: u32 = request.get("id")?.integer()?;
    Ok(match request.get("verb")?.text()? {
        "hello" => Some(json!({"id": id, "ok": {
            "protocol": VERSION,
            "name": name,
            "version": env!("CARGO_PKG_VERSION"),
            "language": "Rust",
            "ops": OPS,
            "networks": PROFILES,
        }})),
        "reset" => {
            let network = request.find("network")?;
            *nodes = match network {
                Some(network) => Nodes::open(&network, request.get("seed")?.array()?)?,
                None => Nodes::default(),
            };
            Some(json!({"id": id, "ok": {}}))
        }
        "step" => Some(json!({"id": id, "ok": nodes.step(request)?})),
        "crash" => {
            nodes.crash(request)?;
            Some(json!({"id": id, "ok": {}}))
        }
        "bye" => None,
        "call" => {
            let (op, args) = (request.get("op")?, request.get("args")?);
            Some(match answer(op.text()?, args.json()) {
                Answer::Ok(ok) => json!({"id": id, "ok": ok}),
                Answer::Reject { class, detail } => {
                    json!({"id": id, "reject": {"class": class.name(), "detail": detail}})
                }
                Answer::Unsupported(why) => json!({"id": id, "unsupported": why}),
                Answer::Malformed(what) => return Err(args.wrong(what)),
            })
        }
        other => Some(json!({"id": id, "unsupported": format!("no verb is called `{other}`")})),
    })
}

#[cfg(test)]
mod tests {
    use super::super::reference::answer;
    use super::*;

    fn served(lines: &str) -> (String, Result<(), String>) {
        let mut output = Vec::new();
        let result = serve(&mut lines.as_bytes(), &mut output, REFERENCE, answer);
        let result = result.map_err(|error| error.to_string());
        (String::from_utf8(output).unwrap(), result)
    }

    #[test]
    fn requests_are_answered_in_order_until_bye() {
        let (said, result) = served(
            "{\"id\":1,\"verb\":\"hello\",\"protocol\":[1],\"suite\":\"x\"}\n\
             {\"id\":2,\"verb\":\"reset\",\"seed\":\"00\"}\r\n\
             {\"id\":3,\"verb\":\"call\",\"op\":\"merkle.root\",\"args\":{\"leaves\":[]}}\n\
             {\"id\":4,\"verb\":\"call\",\"op\":\"odd\",\"args\":{}}\n\
             {\"id\":5,\"verb\":\"bye\"}\nnever read",
        );
        assert_eq!(result, Ok(()));
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].contains("\"protocol\":1") && lines[3].contains("unsupported"), "{said}");
        assert_eq!(lines[1], r#"{"id":2,"ok":{}}"#);
        // RFC 6962: the empty tree is the digest of nothing.
        assert!(
            lines[2].contains("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        );
    }

    #[test]
    fn a_request_of_another_shape_ends_the_program_with_a_reason() {
        for (line, words) in [
            ("hello\n", "no JSON"),
            ("{\"id\":-1,\"verb\":\"hello\"}\n", "request.id"),
            ("{\"id\":1}\n", "the field `verb` is missing"),
            (
                "{\"id\":1,\"verb\":\"call\",\"op\":\"merkle.root\",\"args\":{\"leaves\":1}}\n",
                "args.leaves",
            ),
        ] {
            let (said, result) = served(line);
            assert!(
                said.is_empty() && result.as_ref().unwrap_err().contains(words),
                "{line}: {result:?}"
            );
        }
        let long = format!("{{\"id\":1,\"x\":\"{}\"}}\n", "y".repeat(STEP_BYTES_MAX));
        assert!(served(&long).1.unwrap_err().contains("more than 9437184 bytes"));
    }
}
