//! Counting: builds the workloads, runs them under valgrind and reads what gungraun says.
//!
//! The path of a program lies on its stack and in its first allocations, and so moves the addresses
//! that alignment and hash seeds follow: paths of different length moved counts of one program by up
//! to 0.6 %. So the program is run from a scratch directory whose path always has the same length.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::process::{program, watched};

/// Workloads by their name, `function.bench` as in `merkle_root.turn`.
pub(super) type Workloads = BTreeMap<String, Workload>;

/// What a workload took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Workload {
    /// Instructions, setup not counted; above 0.
    pub(super) instructions: u64,
    /// Microseconds under valgrind, setup included.
    pub(super) duration_us: u64,
}

/// What to build.
#[derive(Clone, Copy, Debug)]
pub(super) struct Build<'a> {
    /// Root of the checkout.
    pub(super) root: &'a Path,
    /// Where to build, if not where the checkout always does.
    pub(super) target_dir: Option<&'a Path>,
    /// Features of package `benches`.
    pub(super) features: Option<&'a str>,
}

/// Bytes of the path that the workloads are run from.
const PATH_BYTES: usize = 160;

/// Builds and counts every workload; why not, in words.
pub(super) fn count(build: &Build<'_>, quiet: bool) -> Result<Workloads, String> {
    let built = executable(&watched(&mut build_command(build), quiet)?)?;
    let scratch = tempfile::Builder::new()
        .prefix("mdsm-perf-")
        .tempdir()
        .map_err(|error| format!("a directory to run in: {error}"))?;
    let program = padded(scratch.path())?;
    let dir = program.parent().ok_or("a padded path has a directory")?;
    fs::create_dir_all(dir)
        .and_then(|()| fs::copy(&built, &program).map(|_| ()))
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let package = build.root.join("benches");
    let mut command = Command::new(&program);
    command.current_dir(&package).args(["--bench", "--output-format=json"]);
    // They would change what is counted, and are no part of the fingerprint.
    let settings = std::env::vars_os().map(|(name, _)| name);
    for name in settings.filter(|name| name.to_string_lossy().starts_with("GUNGRAUN_")) {
        command.env_remove(name);
    }
    // What cargo tells a benchmark that it starts itself.
    command.env("CARGO_MANIFEST_DIR", &package).env("CARGO_PKG_NAME", "benches");
    parse(&watched(&mut command, quiet)?)
}

fn build_command(build: &Build<'_>) -> Command {
    let mut command = Command::new(program("CARGO", "cargo"));
    command.current_dir(build.root);
    command.args(["bench", "--no-run", "--locked", "--package", "benches"]);
    command.args(["--bench", "instructions", "--message-format=json-render-diagnostics"]);
    if let Some(features) = build.features {
        command.args(["--features", features]);
    }
    if let Some(target_dir) = build.target_dir {
        command.arg("--target-dir").arg(target_dir);
    }
    command
}

/// A message of cargo, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The program with the workloads, from what cargo says that it built.
fn executable(messages: &str) -> Result<PathBuf, String> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let is_ours = |message: &Message| {
        message.reason == "compiler-artifact"
            && message.target.as_ref().is_some_and(|target| target.name == "instructions")
    };
    let mut ours = messages.filter(is_ours).filter_map(|message: Message| message.executable);
    ours.next().ok_or_else(|| "cargo names no program that it built".to_owned())
}

/// A path below `dir` of exactly [`PATH_BYTES`].
fn padded(dir: &Path) -> Result<PathBuf, String> {
    let used = dir.as_os_str().len() + "//workloads".len();
    let pad = PATH_BYTES.checked_sub(used).filter(|pad| *pad > 0);
    let pad = pad.ok_or_else(|| format!("{}: the path is too long, set TMPDIR", dir.display()))?;
    Ok(dir.join(OsString::from("x".repeat(pad))).join("workloads"))
}

/// One line of gungraun's JSON, schema version 7, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    function_name: String,
    id: Option<String>,
    duration_ns: u64,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    tool: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    #[serde(rename = "Ir")]
    instructions: Metric,
}

#[derive(Deserialize)]
struct Metric {
    values: Values,
}

/// The run before, if gungraun still has it, is `old`; nothing is compared with that.
#[derive(Deserialize)]
struct Values {
    new: u64,
}

/// Reads one JSON object a line.
fn parse(text: &str) -> Result<Workloads, String> {
    let mut workloads = Workloads::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |what: &str| format!("line {} of gungraun's output: {what}", index + 1);
        let line: Line = serde_json::from_str(line).map_err(|error| at(&error.to_string()))?;
        let id = match line.id {
            Some(id) => format!("{}.{id}", line.function_name),
            None => line.function_name,
        };
        let callgrind = line.profiles.iter().find(|profile| profile.tool == "Callgrind");
        let instructions = callgrind
            .map(|profile| profile.data.total.metrics.instructions.values.new)
            .filter(|instructions| *instructions > 0)
            .ok_or_else(|| at(&format!("{id} has no instructions")))?;
        let workload = Workload { instructions, duration_us: line.duration_ns / 1_000 };
        if workloads.insert(id.clone(), workload).is_some() {
            return Err(at(&format!("two workloads are called {id}")));
        }
    }
    if workloads.is_empty() {
        return Err("gungraun counted no workload".to_owned());
    }
    Ok(workloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"function_name":"merkle_root","id":"turn","duration_ns":1109114131,
        "group":"merkle_group","profiles":[{"data":{"parts":[],"total":{"metrics":{
        "Dr":{"values":{"new":7702487}},"Ir":{"change":{"diff_pct":"0"},
        "values":{"new":167089585,"old":5}}},"regressions":[]}},"tool":"Callgrind"}],"version":"7"}"#;

    fn line() -> String {
        LINE.replace('\n', "")
    }

    #[test]
    fn a_line_gives_name_and_count() {
        let workloads = parse(&format!("{}\n", line())).unwrap();
        let workload = Workload { instructions: 167_089_585, duration_us: 1_109_114 };
        assert_eq!(workloads, Workloads::from([("merkle_root.turn".to_owned(), workload)]));
    }

    #[test]
    fn the_program_is_the_one_that_cargo_built() {
        let artifact = |name: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"executable":{executable}}}"#
            )
        };
        let messages = [
            artifact("instructions_macro", "null"),
            "warning: not JSON".to_owned(),
            artifact("stall", "\"/t/stall\""),
            artifact("instructions", "\"/t/instructions-1\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        assert_eq!(executable(&messages.join("\n")), Ok(PathBuf::from("/t/instructions-1")));
        assert!(executable(&messages[..3].join("\n")).is_err());
    }

    #[test]
    fn the_path_has_the_same_length_everywhere() {
        for dir in ["/tmp/a", "/var/folders/a/long/one", "/"] {
            let path = padded(Path::new(dir)).unwrap();
            assert!(path.starts_with(dir));
            assert!(path.as_os_str().len().abs_diff(PATH_BYTES) <= usize::from(dir == "/"));
        }
        assert!(padded(Path::new(&"a".repeat(PATH_BYTES))).is_err());
    }

    #[test]
    fn nothing_that_was_not_counted_passes_for_a_count() {
        for (text, reason) in [
            (String::new(), "no workload"),
            ("thread panicked".to_owned(), "line 1"),
            (format!("{0}\n{0}", line()), "two workloads are called merkle_root.turn"),
            (line().replace("Callgrind", "DHAT"), "no instructions"),
            (line().replace("167089585", "0"), "no instructions"),
            (line().replace("\"Ir\"", "\"Xr\""), "missing field `Ir`"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
