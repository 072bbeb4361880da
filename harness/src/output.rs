//! What commands print. Whoever reads may stop, as `head` does; that is no fault and changes no verdict.

use std::fmt::Display;
use std::io::{Error, ErrorKind, Write as _};

/// Writes to standard output.
pub fn print(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.or_else(unheard).map_err(|error| format!("standard output: {error}"))
}

/// A line on standard output.
pub fn say(line: impl Display) -> Result<(), String> {
    print(&format!("{line}\n"))
}

/// A line on standard error, which nobody need read.
pub fn note(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// That nobody reads any more is no error.
pub fn unheard(error: Error) -> Result<(), Error> {
    if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
