//! `OpenFHE`, through its Python package, as a child that takes its turn when it is told to.
//!
//! A ciphertext of `OpenFHE` is a ring element that carries thousands of bits: one key of 256, or
//! several if they are granted together. Its times include the call from Python, about 1 us.

use std::fmt;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::scheme::{Operation, Scheme, Security};
use crate::turns::{Party, Work};

/// The child, and what it has told so far.
pub struct OpenFhe {
    /// Its schemes; their works are told.
    pub schemes: Vec<Scheme>,
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// No Python that can import the package.
#[derive(Debug)]
pub struct Absent;

impl fmt::Display for Absent {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let install = "python3.10 -m venv .venv && .venv/bin/pip install openfhe==1.6.1.0.22.4";
        write!(
            formatter,
            "no Python imports openfhe. In benches/peers: {install}\n\
             The wheels are for one Python each, whatever pip says: ...22.4 for 3.10, ...24.4 for 3.12 \
             and the libstdc++ of GCC 13. OPENFHE_PYTHON names another Python that has one."
        )
    }
}

impl OpenFhe {
    /// Starts the script and waits until it has checked all its schemes.
    ///
    /// # Errors
    /// When there is no Python for it.
    ///
    /// # Panics
    /// When the script ends early, above all because a scheme decrypts wrong.
    pub fn start() -> Result<Self, Absent> {
        let mut child = Command::new(python()?)
            .arg("-I")
            .arg(script())
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this Python has just imported openfhe");
        let orders = child.stdin.take().expect("the pipe was asked for");
        let answers = child.stdout.take().expect("the pipe was asked for");
        let mut openfhe =
            Self { schemes: Vec::new(), child, orders, answers: BufReader::new(answers).lines() };
        while let Answer::Other(about) = openfhe.answer::<About>() {
            openfhe.schemes.push(about.scheme());
        }
        Ok(openfhe)
    }

    /// Whether the script is content: of `check`, that every scheme opens what it sealed; of
    /// `canary`, that one does which cannot.
    ///
    /// # Errors
    /// When there is no Python for it.
    pub fn passes(what: &str) -> Result<bool, Absent> {
        let mut python = Command::new(python()?);
        let status = python.arg("-I").arg(script()).arg(what).status();
        Ok(status.is_ok_and(|status| status.success()))
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Answer<T> {
        let line = self.answers.next().and_then(Result::ok);
        let line = line.expect("openfhe.py ended early; it says why above");
        serde_json::from_str(&line).expect("openfhe.py and this file agree on the lines")
    }
}

impl Party for OpenFhe {
    fn take_turn(&mut self) {
        writeln!(self.orders, "turn").expect("openfhe.py listens");
        while let Answer::Other(told) = self.answer::<Told>() {
            let mut schemes = self.schemes.iter_mut();
            let scheme = schemes.find(|scheme| scheme.name == told.scheme);
            let works = &mut scheme.expect("the scheme was announced").works;
            let work = works.iter_mut().find(|(of, _)| *of == told.operation);
            work.expect("the operation was announced").1.tell(told.ns);
        }
    }
}

impl Drop for OpenFhe {
    fn drop(&mut self) {
        // It waits for an order, so it loses nothing; a failure means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of the script: the end of what was asked for, or a part of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Ready {
        #[serde(rename = "ready")]
        _schemes: u32,
    },
    Turn {
        #[serde(rename = "turn")]
        _turns: u32,
    },
    Other(T),
}

#[derive(Deserialize)]
struct About {
    scheme: String,
    bits: u32,
    capsule_bytes: usize,
    reencrypted_bytes: usize,
    rekey_bytes: usize,
    security: Security,
    operations: Vec<Operation>,
}

impl About {
    fn scheme(self) -> Scheme {
        let works = self.operations.into_iter();
        Scheme {
            name: self.scheme,
            beside: if self.security.notion.starts_with("HRA") { "H1152" } else { "S704" },
            capsule_bytes: self.capsule_bytes,
            reencrypted_bytes: Some(self.reencrypted_bytes),
            rekey_bytes: Some(self.rekey_bytes),
            keys: self.bits / 256,
            security: self.security,
            heavy: None,
            // It would not have announced a scheme that does not.
            opens: Box::new(|| true),
            works: works.map(|of| (of, Work::elsewhere())).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Told {
    scheme: String,
    operation: Operation,
    ns: f64,
}

/// The first Python that imports the package.
fn python() -> Result<PathBuf, Absent> {
    let named = std::env::var_os("OPENFHE_PYTHON").map(PathBuf::from);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let common = ["python3.10", "python3.12", "python3"].map(PathBuf::from);
    let imports = |python: &PathBuf| {
        let mut python = Command::new(python);
        let import = python.args(["-I", "-c", "import openfhe"]).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    let mut pythons = named.into_iter().chain([ours]).chain(common);
    pythons.find(imports).ok_or(Absent)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("openfhe.py")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openfhe_opens_what_was_sealed() {
        match OpenFhe::passes("check") {
            Ok(passes) => assert!(passes, "it says above what is wrong"),
            Err(absent) => println!("SKIPPED openfhe: {absent}"),
        }
    }

    #[test]
    fn openfhe_refuses_parameters_that_decrypt_wrong() {
        match OpenFhe::passes("canary") {
            Ok(passes) => assert!(!passes, "half of the bits are wrong"),
            Err(absent) => println!("SKIPPED openfhe: {absent}"),
        }
    }
}
