//! `mdsm-harness`: verdicts on implementations of MDSM.

mod cli;

use std::panic::catch_unwind;
use std::process::ExitCode;

use harness::verdict::Exit;

fn main() -> ExitCode {
    // A panic is our own fault, and a pipeline must be able to tell it from a broken rule.
    catch_unwind(cli::run).unwrap_or(Exit::OwnFault).into()
}
