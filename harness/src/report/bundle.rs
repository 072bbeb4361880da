//! A run in one file that can be checked without a network: the four views, what was judged with, and the
//! digest of each part.
//!
//! A bundle shows that its parts belong together and were not changed by accident; whoever wants to know
//! who made it signs the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Report, html, json, junit, parse, summary, validate};
use crate::rules::merkle::sha256;

/// A bundle; the shape of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Version of this shape.
    pub format: u32,
    /// Version of the harness that wrote the views.
    pub harness: String,
    /// Files by name: the views of the report, and transcripts.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of each file, and of each file of vectors that was judged with.
    pub digests: BTreeMap<String, String>,
    /// SHA-256 over all digests, `name LF digest LF` in the order of names.
    pub digest: String,
}

/// Version of the shape.
const FORMAT: u32 = 1;
/// The report as data; the other views follow from it.
const DATA: &str = "report.json";

/// A bundle that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// No bundle.
    #[error("this is no bundle: {0}")]
    Shape(String),
    /// Another version.
    #[error("format {found}, this program reads {FORMAT}")]
    Format {
        /// What was found.
        found: u32,
    },
    /// A file without digest, or a digest without its file.
    #[error("{name}: {what}")]
    Part {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The digest over all is another one.
    #[error("the digest over all parts is {expected}, the bundle says {found}")]
    Whole {
        /// What follows from the parts.
        expected: String,
        /// What stands there.
        found: String,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(text: &str) -> String {
    hex(&sha256(&[text.as_bytes()]))
}

fn whole(digests: &BTreeMap<String, String>) -> String {
    let text: String = digests.iter().map(|(name, digest)| format!("{name}\n{digest}\n")).collect();
    digest(&text)
}

fn views(report: &Report) -> [(&'static str, String); 4] {
    [
        ("index.html", html(report)),
        (DATA, json(report)),
        ("junit.xml", junit(report)),
        ("summary.md", summary(report)),
    ]
}

impl Bundle {
    /// Puts a report together with what it was judged with: names and texts of vector files, and more
    /// files, such as transcripts.
    #[must_use]
    pub fn new(report: &Report, vectors: &[(&str, &str)], more: BTreeMap<String, String>) -> Self {
        let mut files = more;
        files.extend(views(report).map(|(name, text)| (name.to_owned(), text)));
        let mut digests: BTreeMap<String, String> =
            files.iter().map(|(name, text)| (name.clone(), digest(text))).collect();
        digests.extend(
            vectors.iter().map(|(name, text)| (format!("vectors/{name}.json"), digest(text))),
        );
        let whole = whole(&digests);
        Self {
            format: FORMAT,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            files,
            digests,
            digest: whole,
        }
    }

    /// Whether this version of the harness wrote it: views and verdicts can then be made again.
    #[must_use]
    pub fn is_of_this_version(&self) -> bool {
        self.harness == env!("CARGO_PKG_VERSION")
    }

    /// Its file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers");
        text.push('\n');
        text
    }

    /// Reads a file and checks it: every digest, the schema of the report, counts that close, the verdict that
    /// follows from the cases, and that the other views say what the data says.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(text: &str, vectors: &[(&str, &str)]) -> Result<(Self, Report), BundleError> {
        let bundle: Self =
            serde_json::from_str(text).map_err(|error| BundleError::Shape(error.to_string()))?;
        if bundle.format != FORMAT {
            return Err(BundleError::Format { found: bundle.format });
        }
        let part = |name: &str, what: String| BundleError::Part { name: name.to_owned(), what };
        let wrong = |name: &str, what: String| Err(part(name, what));
        for (name, text) in &bundle.files {
            match bundle.digests.get(name) {
                None => return wrong(name, "has no digest".to_owned()),
                Some(stated) if *stated != digest(text) => {
                    return wrong(
                        name,
                        format!("SHA-256 is {}, the bundle says {stated}", digest(text)),
                    );
                }
                Some(_) => {}
            }
        }
        for name in bundle.digests.keys() {
            let is_vectors = name.starts_with("vectors/");
            if !is_vectors && !bundle.files.contains_key(name) {
                return wrong(name, "is not in the bundle".to_owned());
            }
        }
        let expected = whole(&bundle.digests);
        if expected != bundle.digest {
            return Err(BundleError::Whole { expected, found: bundle.digest });
        }
        let Some(data) = bundle.files.get(DATA) else {
            return wrong(DATA, "is not in the bundle".to_owned());
        };
        let report = sound(data).map_err(|what| part(DATA, what))?;
        if bundle.is_of_this_version() {
            for (name, text) in views(&report) {
                if bundle.files.get(name) != Some(&text) {
                    return wrong(name, format!("says something else than {DATA}"));
                }
            }
            for (name, text) in vectors {
                let name = format!("vectors/{name}.json");
                if let Some(stated) =
                    bundle.digests.get(&name).filter(|stated| **stated != digest(text))
                {
                    return wrong(
                        &name,
                        format!("judged with SHA-256 {stated}, this program has {}", digest(text)),
                    );
                }
            }
        }
        Ok((bundle, report))
    }
}

/// A report whose schema, counts and verdict hold.
fn sound(data: &str) -> Result<Report, String> {
    let value = serde_json::from_str(data).map_err(|error| error.to_string())?;
    validate(&value).map_err(|error| error.to_string())?;
    let report = parse(data.as_bytes()).map_err(|error| error.to_string())?;
    let mut counted = crate::verdict::Counts::planned(report.counts.all);
    let cases = report.chapters.iter().flat_map(|chapter| &chapter.cases);
    cases.for_each(|case| counted.add(&case.outcome));
    if counted != report.counts {
        return Err("the counts are not those of the cases".to_owned());
    }
    let verdict = counted.verdict();
    if verdict != report.verdict || verdict.under(report.run.undecided).code() != report.exit {
        return Err(format!("the cases say {verdict}, the report says {}", report.verdict));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    const VECTORS: &[(&str, &str)] = &[("trees", "{}")];

    #[test]
    fn a_bundle_holds_until_a_part_is_changed() {
        let more = [("transcripts/a.txt".to_owned(), "> x\n".to_owned())].into();
        let bundle = Bundle::new(&fixture::report(), VECTORS, more);
        let (read, report) = Bundle::verify(&bundle.text(), VECTORS).unwrap();
        assert_eq!((read, report), (bundle.clone(), fixture::report()));
        for name in bundle.files.keys() {
            let mut other = bundle.clone();
            other.files.get_mut(name).unwrap().push(' ');
            let error = Bundle::verify(&other.text(), VECTORS).unwrap_err();
            assert!(
                matches!(&error, BundleError::Part { name: found, .. } if found == name),
                "{error}"
            );
        }
        let error = Bundle::verify(&bundle.text(), &[("trees", "{1}")]).unwrap_err().to_string();
        assert!(error.starts_with("vectors/trees.json: judged with"), "{error}");
        assert!(matches!(Bundle::verify("{}", VECTORS), Err(BundleError::Shape(_))));
    }

    #[test]
    fn digests_that_were_made_again_do_not_hide_another_verdict() {
        let bundle = Bundle::new(&fixture::report(), VECTORS, BTreeMap::new());
        let redone = |change: &dyn Fn(&mut Bundle)| {
            let mut other = bundle.clone();
            change(&mut other);
            other
                .digests
                .extend(other.files.iter().map(|(name, text)| (name.clone(), digest(text))));
            other.digest = whole(&other.digests);
            Bundle::verify(&other.text(), VECTORS).unwrap_err().to_string()
        };
        let page = |bundle: &mut Bundle| bundle.files.get_mut("index.html").unwrap().push(' ');
        assert!(redone(&page).contains("says something else than report.json"));
        let verdict = |bundle: &mut Bundle| {
            let mut report = fixture::report();
            report.verdict = crate::verdict::Exit::Conforms;
            report.exit = 0;
            bundle.files.extend(views(&report).map(|(name, text)| (name.to_owned(), text)));
        };
        let error = redone(&verdict);
        assert!(error.contains("the cases say"), "{error}");
        let gone = |bundle: &mut Bundle| {
            bundle.files.remove("summary.md");
        };
        assert!(redone(&gone).contains("summary.md"), "a view is missing");
    }
}
