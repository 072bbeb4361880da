//! Reading everything, and naming what is wrong. [DDB-1.9] [DDB-2.2]

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::patience::Refusal;
use super::read::Reading;
use super::store::Objects;
use crate::types::Digest;

/// What is wrong with a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, although another place has one.
    Missing,
    /// It is another file than its name says.
    Damaged(String),
    /// It could not be read.
    Unreadable(String),
    /// It has no name that a file here can have.
    Strange,
}

/// A copy with which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub place: Arc<str>,
    /// The digest of the file, or what is there in the place of one.
    pub name: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What reading everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that lie in any place.
    pub files: u64,
    /// Copies that are whole.
    pub copies: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Everything else.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {} in {}: ", self.name, self.place)?;
        match &self.fault {
            Fault::Missing => f.write_str("missing"),
            Fault::Damaged(what) => write!(f, "damaged, {what}"),
            Fault::Unreadable(why) => write!(f, "unreadable, {why}"),
            Fault::Strange => f.write_str("not a file of this store"),
        }
    }
}

impl Objects {
    /// Reads every copy of every file. Nothing is changed. Cost: all bytes of all places.
    pub async fn check(&self) -> Checked {
        let mut checked = Checked::default();
        for first in 0..=u8::MAX {
            self.check_folder(first, &mut checked).await;
        }
        checked
    }

    async fn check_folder(&self, first: u8, checked: &mut Checked) {
        let mut digests = BTreeSet::new();
        let mut find = |place: Arc<str>, name: String, fault| {
            checked.findings.push(Finding { place, name, fault });
        };
        for place in self.places() {
            let name = place.shared_name();
            match place.folder(first).await {
                Ok((found, strange)) => {
                    digests.extend(found);
                    strange.into_iter().for_each(|it| find(name.clone(), it, Fault::Strange));
                }
                Err(Refusal::Failed(error)) => {
                    find(name, format!("{first:02x}/"), Fault::Unreadable(error.to_string()));
                }
                Err(Refusal::Absent | Refusal::Exists) => {}
            }
        }
        for digest in digests {
            self.check_file(&digest, checked).await;
        }
    }

    async fn check_file(&self, digest: &Digest, checked: &mut Checked) {
        checked.files += 1;
        for (place, reading) in self.examine(self.places().to_vec(), digest).await {
            let fault = match reading {
                Reading::Whole(bytes) => {
                    checked.copies += 1;
                    checked.bytes += bytes;
                    continue;
                }
                Reading::Absent => Fault::Missing,
                Reading::Damaged(what) => Fault::Damaged(what),
                Reading::Failed(error) => Fault::Unreadable(error.to_string()),
                other => Fault::Unreadable(format!("{other:?}")),
            };
            let (place, name) = (place.shared_name(), digest.to_string());
            checked.findings.push(Finding { place, name, fault });
        }
    }
}
