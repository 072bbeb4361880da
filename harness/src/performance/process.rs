//! Running other programs.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

/// Lines of a failed program that are kept.
const LINES_MAX: usize = 20;

/// The program that a variable names, as cargo names itself to its children; else `default`.
pub(super) fn program(variable: &str, default: &str) -> OsString {
    std::env::var_os(variable).filter(|name| !name.is_empty()).unwrap_or_else(|| default.into())
}

/// What a short program says on standard output; why not, in words, when it is absent or fails.
pub(super) fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name}: {}: {}", output.status, said.trim()))
    }
}

/// What a long program says on standard output, while its standard error is shown (unless `quiet`)
/// and its last lines kept for the reason, should it fail.
pub(super) fn watched(command: &mut Command, quiet: bool) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
    let mut stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    // Both at once: a program that fills one pipe waits until it is read.
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let mut last = VecDeque::new();
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.map_err(|error| format!("{name}: {error}"))?;
        let line = String::from_utf8_lossy(&line).into_owned();
        if !quiet {
            crate::output::note(&line);
        }
        last.push_back(line);
        if last.len() > LINES_MAX {
            last.pop_front();
        }
    }
    let text = reader.join().expect("reading does not panic");
    let text = text.map_err(|error| format!("{name}: {error}"))?;
    let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
    if status.success() {
        String::from_utf8(text).map_err(|_| format!("{name}: standard output is not UTF-8"))
    } else {
        let last: Vec<String> = last.into();
        Err(format!("{name}: {status}\n{}", last.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_failure_are_told_apart() {
        assert_eq!(output(&mut shell("echo a; echo b >&2")), Ok("a\n".to_owned()));
        let error = output(&mut shell("echo a; echo b >&2; exit 3")).unwrap_err();
        assert!(error.contains("exit status: 3") && error.ends_with(": b"), "{error}");
        assert!(output(&mut Command::new("no-such-program-of-mdsm")).is_err());
    }

    #[test]
    fn both_pipes_of_a_watched_program_are_read_at_once() {
        let script =
            "i=0; while [ $i -lt 20000 ]; do echo out-$i; echo err-$i >&2; i=$((i+1)); done";
        let text = watched(&mut shell(script), true).unwrap();
        assert_eq!(text.lines().count(), 20_000);
        let error = watched(&mut shell(&format!("{script}; exit 1")), true).unwrap_err();
        assert!(error.ends_with("err-19999") && !error.contains("err-19979"), "{error}");
    }
}
