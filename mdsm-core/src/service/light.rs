//! A light client that asks auditors over HTTP. [CLI-2]
//!
//! ```text
//! follow   rosters from f + 1 of the auditors known so far, until none teaches more; then where they stand
//! ask      f + 1 auditors, and more of them when some are silent, refused, or differ
//! ```
//! Of any f + 1 that agree one is not faulty and left nothing out, so it is enough that as many of all auditors
//! agree; who said something else is named beside the answer.

use std::path::{Path, PathBuf};

use axum::http::Method;
use thiserror::Error;
use tokio::task::JoinSet;

use super::ask::{AskError, Asker, Told};
use crate::client::{
    Answer, Check, Heard, Kept, KeptError, Known, Light, Question, Records, Refused, agree,
};
use crate::crypto::sha256;
use crate::crypto::sign::SigningKey;
use crate::environment::replace;
use crate::ledger::GenesisError;
use crate::runtime::settings::NetworkFile;
use crate::types::{Height, InstitutionId, OwnerId};

/// A light client and whom it can ask.
#[derive(Debug)]
pub struct LightClient {
    light: Light,
    asker: Asker,
    webs: Vec<(InstitutionId, String)>,
    /// Whom nobody can ask, because the file of the network has no interface of theirs.
    offline: Vec<InstitutionId>,
    file: Option<PathBuf>,
}

/// An answer in which enough auditors agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Those that agree. How far Bitcoin is may differ among them.
    pub heard: Vec<Heard>,
    /// Those whose answer was not used.
    pub objections: Vec<Objection>,
}

/// One whose answer was not used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("institution {from}: {why}")]
pub struct Objection {
    /// Who was asked.
    pub from: InstitutionId,
    /// What is wrong.
    pub why: Why,
}

/// Why an answer was not used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Why {
    /// There is none.
    #[error(transparent)]
    Silent(#[from] AskError),
    /// It failed a check.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// No answer that can be believed.
#[derive(Debug, Error)]
pub enum LightError {
    /// Too few answers pass and agree.
    #[error("{}{}", reason(refused, objections), listed(objections))]
    Refused {
        /// The check that failed.
        refused: Refused,
        /// What is wrong with whose answers.
        objections: Vec<Objection>,
    },
    /// The file of what is kept.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged.
    #[error("{}: {why}; without the file the client begins anew", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// No network starts like this.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

/// An answer that failed a check is refused; where nobody has answered, nothing was.
fn reason(refused: &Refused, objections: &[Objection]) -> String {
    let is_silent = objections.iter().all(|objection| matches!(objection.why, Why::Silent(_)));
    let is_silence = refused.check == Check::Agreement && is_silent;
    if is_silence { refused.why.clone() } else { refused.to_string() }
}

fn listed(objections: &[Objection]) -> String {
    let lines = objections.iter().map(|objection| format!("\n  {objection}"));
    let colon = (!objections.is_empty()).then(|| ":".to_owned());
    colon.into_iter().chain(lines).collect()
}

impl Why {
    /// Whether it is there and does not answer this key.
    pub(super) fn is_denial(&self) -> bool {
        matches!(self, Self::Silent(AskError::Declined { status: 401 | 403, .. }))
    }
}

impl Answered {
    /// What all of them say.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.heard[0].known
    }
}

impl LightClient {
    /// A light client of a network. `file` is where it keeps headers and rosters; without one it begins anew.
    pub fn open(network: &NetworkFile, file: Option<PathBuf>) -> Result<Self, LightError> {
        let genesis = network.genesis.clone();
        let asker = Asker::new(genesis.chain_id());
        let webs = network
            .members
            .iter()
            .filter_map(|member| Some((member.founder.institution, member.web.clone()?)));
        let webs = webs.collect();
        let offline = network.members.iter().filter(|member| member.web.is_none());
        let offline = offline.map(|member| member.founder.institution).collect();
        let kept = file.as_deref().map(read).transpose()?.flatten();
        let light = match (kept, &file) {
            (Some(kept), Some(file)) => {
                let damaged = |error: KeptError| damaged(file, error);
                Light::resume(genesis, &kept).map_err(damaged)?
            }
            _ => Light::new(genesis)?,
        };
        Ok(Self { light, asker, webs, offline, file })
    }

    /// What it knows.
    #[must_use]
    pub fn light(&self) -> &Light {
        &self.light
    }

    /// How it asks.
    #[must_use]
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Learns who serves and how far the chain is, keeps it, and gives the highest height that f + 1 auditors can
    /// answer about.
    pub async fn follow(&mut self) -> Result<Height, LightError> {
        let mut objections = Vec::new();
        loop {
            let before = (self.light.open_epoch(), self.light.committees().is_some());
            let mut taught = 0;
            for (from, web) in self.auditors() {
                match self.learn(&web).await {
                    Ok(()) => taught += 1,
                    Err(why) => object(&mut objections, Objection { from, why }),
                }
                if taught >= self.light.auditors_needed() {
                    break;
                }
            }
            if (self.light.open_epoch(), self.light.committees().is_some()) == before {
                break;
            }
        }
        let mut heights = Vec::new();
        for (from, told) in self.ask_all(self.auditors(), &Question::Status.line(), None).await {
            match told.and_then(|told| self.check(&Question::Status, None, &told)) {
                Ok(Heard { known: Known::Status(status), .. }) => heights.push(status.height),
                Ok(_) => {}
                Err(why) => object(&mut objections, Objection { from, why }),
            }
        }
        heights.sort_unstable_by(|one, other| other.cmp(one));
        let needed = self.light.auditors_needed();
        let Some(height) = heights.get(needed - 1) else {
            return Err(self.too_few(heights.len(), objections));
        };
        self.save()?;
        Ok(*height)
    }

    /// Asks auditors until enough of them agree.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.1 (paper): A light client MUST answer from other nodes without storing records itself.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.6 (ours): A light client MUST refuse answers to one question unless f + 1 auditors of the newest
    //# committees it knows have given and signed them and they agree.
    pub async fn ask(
        &mut self,
        question: &Question,
        key: &SigningKey,
    ) -> Result<Answered, LightError> {
        let (line, by, needed) = (question.line(), key.owner(), self.light.auditors_needed());
        let (mut heard, mut objections): (Vec<Heard>, Vec<Objection>) = (Vec::new(), Vec::new());
        let mut left = self.auditors();
        loop {
            let agreeing = largest(&heard);
            if agreeing.len() >= needed {
                let (agreed, others) = split(heard, &agreeing);
                objections.extend(others.into_iter().map(|other| differs(&agreed[0], other)));
                return Ok(Answered { heard: agreed, objections });
            }
            if left.is_empty() {
                return Err(match agree(&heard, needed) {
                    Err(refused) if heard.len() >= needed => {
                        LightError::Refused { refused, objections }
                    }
                    _ => self.too_few(heard.len(), objections),
                });
            }
            let more = left.drain(..left.len().min(needed - agreeing.len())).collect();
            for (from, told) in self.ask_all(more, &line, Some(key)).await {
                match told.and_then(|told| self.check(question, Some(&by), &told)) {
                    Ok(one) if one.from == from => heard.push(one),
                    Ok(one) => {
                        let why = format!("institution {} answers in its place", one.from);
                        let why = Refused { check: Check::Speaker, why }.into();
                        objections.push(Objection { from, why });
                    }
                    Err(why) => objections.push(Objection { from, why }),
                }
            }
        }
    }

    /// All records of an owner at a height, page by page.
    pub async fn records(
        &mut self,
        key: &SigningKey,
        at: Height,
    ) -> Result<(Records, Vec<Objection>), LightError> {
        let owner = key.owner();
        let mut all = Records { owner, at, records: Vec::new(), next: None };
        let mut objections = Vec::new();
        loop {
            let question = Question::Records { owner, at, after: all.next };
            let page = self.ask(&question, key).await?;
            if let Known::Records(page) = page.known() {
                all.records.extend_from_slice(&page.records);
                all.next = page.next;
            }
            objections.extend(page.objections);
            if all.next.is_none() {
                return Ok((all, objections));
            }
        }
    }

    /// Auditors of the newest committees known that can be asked; before the first roster everybody.
    fn auditors(&self) -> Vec<(InstitutionId, String)> {
        self.webs.iter().filter(|(id, _)| self.is_auditor(id)).cloned().collect()
    }

    fn is_auditor(&self, id: &InstitutionId) -> bool {
        let committees = self.light.committees();
        committees.is_none_or(|it| it.auditors.iter().any(|seat| seat.institution == *id))
    }

    /// Why so many answers are not enough.
    fn too_few(&self, answers: usize, objections: Vec<Objection>) -> LightError {
        let is_denied = !objections.is_empty() && objections.iter().all(|it| it.why.is_denial());
        let why = if answers == 0 && is_denied {
            "the auditors do not answer this key".to_owned()
        } else {
            let needed = self.light.auditors_needed();
            let are = if needed == 1 { "is" } else { "are" };
            let offline = self.offline.iter().filter(|id| self.is_auditor(id));
            let offline: Vec<String> = offline.map(ToString::to_string).collect();
            let mut why = format!("{answers} auditors have answered where {needed} {are} needed");
            if !offline.is_empty() {
                why += &format!(
                    "; the file of the network has no `web` for institution {}",
                    offline.join(", ")
                );
            }
            why
        };
        LightError::Refused { refused: Refused { check: Check::Agreement, why }, objections }
    }

    /// Rosters prove themselves, whoever shows them.
    async fn learn(&mut self, web: &str) -> Result<(), Why> {
        loop {
            let before = self.light.open_epoch();
            let told = self.asker.get(web, &self.light.next_roster().line(), None).await?;
            let Answer::Roster(answer) = parse(&told)? else {
                return Err(other_kind().into());
            };
            self.light.learn_roster(&answer)?;
            if self.light.open_epoch() == before {
                return Ok(());
            }
        }
    }

    /// Checks who gave an answer, and everything in it.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.2 (paper): A light client MUST check every answer itself.
    fn check(
        &mut self,
        question: &Question,
        by: Option<&OwnerId>,
        told: &Told,
    ) -> Result<Heard, Why> {
        let from = self.light.hear(&question.line(), &told.body, &told.by)?;
        let known = self.light.check(question, by, &parse(told)?)?;
        Ok(Heard { from, known })
    }

    /// Asks several at once; their answers in the order in which they were named.
    async fn ask_all(
        &self,
        whom: Vec<(InstitutionId, String)>,
        line: &str,
        key: Option<&SigningKey>,
    ) -> Vec<(InstitutionId, Result<Told, Why>)> {
        let call = key.map(|key| self.asker.call(&Method::GET, line, key));
        let mut asking = JoinSet::new();
        for (at, (from, web)) in whom.into_iter().enumerate() {
            let (asker, line, call) = (self.asker.clone(), line.to_owned(), call.clone());
            asking.spawn(async move {
                let told = asker.asked(&web, &line, call).await;
                (at, from, told.map_err(Why::from))
            });
        }
        let mut told = asking.join_all().await;
        told.sort_by_key(|(at, ..)| *at);
        told.into_iter().map(|(_, from, told)| (from, told)).collect()
    }

    fn save(&self) -> Result<(), LightError> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = |source| LightError::File { file: file.clone(), source };
        let text =
            serde_json::to_string(&self.light.keep()).map_err(|error| damaged(file, error))?;
        let text = format!("{}\n{text}\n", sha256(text.as_bytes()));
        replace(file, text.as_bytes()).map_err(failed)
    }
}

/// Whoever is asked several times and is silent each time is named once.
fn object(objections: &mut Vec<Objection>, objection: Objection) {
    if !objections.contains(&objection) {
        objections.push(objection);
    }
}

/// What was kept, if the file is there.
fn read(file: &Path) -> Result<Option<Kept>, LightError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LightError::File { file: file.to_path_buf(), source }),
    };
    let (digest, text) = text.split_once('\n').unwrap_or_default();
    let text = text.strip_suffix('\n').unwrap_or(text);
    if sha256(text.as_bytes()).to_string() != digest {
        return Err(damaged(file, "its digest is not in its first line"));
    }
    serde_json::from_str(text).map(Some).map_err(|error| damaged(file, error))
}

fn damaged(file: &Path, why: impl ToString) -> LightError {
    LightError::Damaged { file: file.to_path_buf(), why: why.to_string() }
}

//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.4 (ours): A light client MUST report an answer that fails its check as refused, with the check
//# that failed, and never as an empty answer.
fn parse(told: &Told) -> Result<Answer, Refused> {
    serde_json::from_slice(&told.body).map_err(|error| {
        let why = format!("the answer is not one: {error}");
        Refused { check: Check::Question, why }
    })
}

fn other_kind() -> Refused {
    let why = "the answer is to another kind of question".to_owned();
    Refused { check: Check::Question, why }
}

/// Indices of the largest group that agrees.
fn largest(heard: &[Heard]) -> Vec<usize> {
    let mut largest = Vec::new();
    for one in heard {
        let alike = |at: &usize| agree(&[one.clone(), heard[*at].clone()], 1).is_ok();
        let group: Vec<usize> = (0..heard.len()).filter(alike).collect();
        if group.len() > largest.len() {
            largest = group;
        }
    }
    largest
}

fn split(heard: Vec<Heard>, agreeing: &[usize]) -> (Vec<Heard>, Vec<Heard>) {
    let (mut agreed, mut others) = (Vec::new(), Vec::new());
    for (at, one) in heard.into_iter().enumerate() {
        if agreeing.contains(&at) { agreed.push(one) } else { others.push(one) }
    }
    (agreed, others)
}

fn differs(agreed: &Heard, other: Heard) -> Objection {
    let from = other.from;
    let differing = agree(&[agreed.clone(), other], 2).err();
    let why = differing.unwrap_or_else(|| Refused { check: Check::Agreement, why: String::new() });
    Objection { from, why: why.into() }
}
