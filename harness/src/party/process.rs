//! A party in a process of its own, as the harness sees it: started, asked, and never outlived.
//!
//! Whatever the process does, a question ends: with an answer, or with what was wrong, at the latest
//! when its time is up or the run is stopped. Two threads hold the ends of the pipes, so that a
//! process which neither reads nor writes holds up nobody; they end with the process.
//!
//! On Unix a process leads a group of its own, and what it started ends with it; what leaves the
//! group on purpose is out of reach.

use std::io::{self, BufReader, BufWriter};
use std::process::Command;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::frame::{self, FrameError};
use super::message::{Reply, Request};
use crate::child::{Child, Pipes};
use crate::stop::Stop;

/// How often a waiting question looks whether the run is stopped.
const LOOK: Duration = Duration::from_millis(20);

/// A party that did not answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The program could not be started.
    #[error("{name}: cannot be started: {error}")]
    Start {
        /// Who.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It ended.
    #[error("{name}: ended ({status}) instead of answering {request}")]
    Died {
        /// Who.
        name: String,
        /// Exit code or signal.
        status: String,
        /// What it was asked.
        request: &'static str,
    },
    /// What it said is not an answer.
    #[error("{name}: answered {request} with no message: {error}")]
    Garbage {
        /// Who.
        name: String,
        /// What it was asked.
        request: &'static str,
        /// What was wrong.
        error: FrameError,
    },
    /// It spoke without being asked.
    #[error("{name}: said something before it was asked {request}")]
    Unasked {
        /// Who.
        name: String,
        /// What it was to be asked.
        request: &'static str,
    },
    /// It answered, but never read what it answered.
    #[error("{name}: has not read the request before {request}")]
    Unread {
        /// Who.
        name: String,
        /// What it was to be asked.
        request: &'static str,
    },
    /// It took too long, and was ended.
    #[error("{name}: no answer to {request} within {} s", limit.as_secs_f64())]
    Late {
        /// Who.
        name: String,
        /// What it was asked.
        request: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// The run was stopped.
    #[error("{name}: {reason} while it answered {request}")]
    Stopped {
        /// Who.
        name: String,
        /// What it was asked.
        request: &'static str,
        /// Why.
        reason: String,
    },
}

/// What comes from a process: an answer, its end, or what was wrong.
type Answered = Result<Option<Reply>, FrameError>;

/// A process that answers requests. Ended when dropped.
pub struct Process {
    name: String,
    child: Child,
    requests: SyncSender<Request>,
    answers: Receiver<Answered>,
    limit: Duration,
    stop: Stop,
}

impl Process {
    /// Starts a program that speaks as a party does. Each answer may take as long as `limit`. What it
    /// writes to standard error goes to ours.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        name: &str,
        command: &mut Command,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Self, AskError> {
        let started = Child::start(command);
        let (child, Pipes { input, output, .. }) =
            started.map_err(|error| AskError::Start { name: name.to_owned(), error })?;
        let (requests, to_send) = sync_channel::<Request>(1);
        thread::spawn(move || {
            let mut input = BufWriter::new(input);
            // When the process no longer reads, its answers tell why.
            while let Ok(request) = to_send.recv() {
                if frame::write(&mut input, &request).is_err() {
                    break;
                }
            }
        });
        let (received, answers) = sync_channel(1);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let answer = frame::read(&mut output);
                let is_last = !matches!(answer, Ok(Some(_)));
                if received.send(answer).is_err() || is_last {
                    break;
                }
            }
        });
        let (name, stop) = (name.to_owned(), stop.clone());
        Ok(Self { name, child, requests, answers, limit, stop })
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When no answer comes; the process is ended then.
    pub fn ask(&mut self, request: Request) -> Result<Reply, AskError> {
        let asked = request.name();
        let answer = self.answer(request);
        if answer.is_err() {
            self.child.end();
        }
        answer.map_err(|fault| fault.of(&self.name, asked))
    }

    fn answer(&mut self, request: Request) -> Result<Reply, NoAnswer> {
        if let Some(status) = self.child.ended() {
            return Err(NoAnswer::Died(status.to_owned()));
        }
        match self.answers.try_recv() {
            Ok(said) => return Err(self.taken(said).map_or_else(|no| no, |_| NoAnswer::Unasked)),
            Err(TryRecvError::Disconnected) => return Err(NoAnswer::Died(self.child.ending())),
            Err(TryRecvError::Empty) => {}
        }
        // One request is with the thread, another one waits: neither was read to its end. Where the
        // thread is gone the process stopped reading, and its answers tell why.
        if matches!(self.requests.try_send(request), Err(TrySendError::Full(_))) {
            return Err(NoAnswer::Unread);
        }
        let started = Instant::now();
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(said) => return self.taken(said),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(NoAnswer::Died(self.child.ending()));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(reason) = self.stop.reason() {
                return Err(NoAnswer::Stopped(reason));
            }
            if started.elapsed() >= self.limit {
                return Err(NoAnswer::Late(self.limit));
            }
        }
    }

    fn taken(&mut self, said: Answered) -> Result<Reply, NoAnswer> {
        Err(match said {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => NoAnswer::Died(self.child.ending()),
            Err(error @ (FrameError::Ended { .. } | FrameError::Io(_))) => {
                NoAnswer::Died(format!("{}; {error}", self.child.ending()))
            }
            Err(error) => NoAnswer::Garbage(error),
        })
    }
}

/// An [`AskError`] without its names.
enum NoAnswer {
    Died(String),
    Garbage(FrameError),
    Unasked,
    Unread,
    Late(Duration),
    Stopped(String),
}

impl NoAnswer {
    fn of(self, name: &str, request: &'static str) -> AskError {
        let name = name.to_owned();
        match self {
            Self::Died(status) => AskError::Died { name, status, request },
            Self::Garbage(error) => AskError::Garbage { name, request, error },
            Self::Unasked => AskError::Unasked { name, request },
            Self::Unread => AskError::Unread { name, request },
            Self::Late(limit) => AskError::Late { name, request, limit },
            Self::Stopped(reason) => AskError::Stopped { name, request, reason },
        }
    }
}
