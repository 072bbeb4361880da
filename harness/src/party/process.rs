//! A party in a process of its own, as the harness sees it: started, asked, and never outlived.
//!
//! Whatever the process does, a question ends: with an answer, or with what was wrong, at the latest
//! when its time is up or the run is stopped. Two threads hold the ends of the pipes, so that a
//! process which neither reads nor writes holds up nobody; they end with the process.

use std::io::{self, BufReader, BufWriter};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::frame::{self, FrameError};
use super::message::{Reply, Request};
use crate::stop::Stop;

/// How often a waiting question looks whether the run is stopped.
const LOOK: Duration = Duration::from_millis(20);
/// How long a process that closed its output may take to say how it ended.
const END: Duration = Duration::from_millis(500);

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

type Answers = Receiver<Result<Option<Reply>, FrameError>>;

/// A process that answers requests. Ended when dropped.
pub struct Process {
    name: String,
    child: Child,
    requests: SyncSender<Request>,
    answers: Answers,
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
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = piped.spawn();
        let mut child =
            started.map_err(|error| AskError::Start { name: name.to_owned(), error })?;
        let input = child.stdin.take().expect("piped above");
        let output = child.stdout.take().expect("piped above");
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
        let name = self.name.clone();
        if matches!(self.answers.try_recv(), Ok(Ok(Some(_)))) {
            self.end();
            return Err(AskError::Unasked { name, request: asked });
        }
        // The thread is gone only after the process stopped reading.
        let _ = self.requests.send(request);
        let started = Instant::now();
        let error = loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(Ok(Some(reply))) => return Ok(reply),
                Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => {
                    break AskError::Died { name, status: self.ending(), request: asked };
                }
                Ok(Err(error @ (FrameError::Ended { .. } | FrameError::Io(_)))) => {
                    let status = format!("{}; {error}", self.ending());
                    break AskError::Died { name, status, request: asked };
                }
                Ok(Err(error)) => break AskError::Garbage { name, request: asked, error },
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(reason) = self.stop.reason() {
                break AskError::Stopped { name, request: asked, reason };
            }
            if started.elapsed() >= self.limit {
                break AskError::Late { name, request: asked, limit: self.limit };
            }
        };
        self.end();
        Err(error)
    }

    /// How it ended, once its output is closed.
    fn ending(&mut self) -> String {
        let started = Instant::now();
        while started.elapsed() < END {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.to_string(),
                #[expect(
                    clippy::disallowed_methods,
                    reason = "no event tells the end of a process"
                )]
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return error.to_string(),
            }
        }
        "its output is closed, yet it runs on".to_owned()
    }

    /// Ends the process; the one that was started here and no other.
    fn end(&mut self) {
        // Both fail only for a process that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
