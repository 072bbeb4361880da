//! The process of an adapter.

use std::convert::Infallible;
use std::io::{BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::lines::{self, Line, Log};
use super::memory::resident_mib;
use crate::child::{Child, Pipes};
use crate::conformance::protocol::{Hello, REPLY_BYTES_MAX, Reply, ReplyError, Request};
use crate::stop::Stop;

/// How often a waiting question looks whether the run is stopped.
const LOOK: Duration = Duration::from_millis(20);
/// How often it looks at the adapter's memory.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(100);
/// How long an adapter may take to end.
const BYE: Duration = Duration::from_secs(2);
/// How long a reply may take that a closed input sets free, and the end of a log that its process does.
const CLOSE: Duration = Duration::from_millis(500);
/// How long a start may take.
const START: Duration = Duration::from_secs(30);
/// How long a call may take at least, and a slow one.
const CALL: Duration = Duration::from_secs(5);
const SLOW_CALL: Duration = Duration::from_secs(60);
/// A call may take so many times as long as a `hello`.
const HELLOS: u32 = 20;
/// Requests with their replies that are remembered of a long case, twice as many for a while: the last.
const SAID_MAX: usize = 500;
/// `hello`s that are measured.
const MEASURED: usize = 3;

/// Bounds of an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// All times are multiplied by it.
    pub time_factor: f64,
    /// MiB that it may hold.
    pub memory_mib_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time_factor: 1.0, memory_mib_max: 4_096 }
    }
}

/// How an adapter is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its bounds.
    pub limits: Limits,
    /// When to give up.
    pub stop: Stop,
}

/// A running adapter that has said hello. Ended when dropped.
#[derive(Debug)]
pub struct Adapter {
    child: Child,
    /// Its input; gone once it is closed.
    requests: Option<SyncSender<String>>,
    replies: Receiver<Line>,
    log: Log,
    /// Says nothing, and is disconnected once the log is at its end.
    log_end: Receiver<Infallible>,
    limits: Limits,
    stop: Stop,
    next_id: u64,
    /// The longest `hello`.
    ping: Duration,
    /// What went over the pipes since it was asked for last.
    said: Vec<(String, String)>,
}

impl Adapter {
    /// Starts a program and asks who it is.
    ///
    /// # Errors
    /// Any fault. The log of an adapter that failed is in the second part.
    pub fn start(launch: &Launch) -> Result<(Self, Hello), (Fault, Vec<String>)> {
        let Launch { command, limits, stop } = launch;
        let not_started = |why: String| (Fault::Start(why), Vec::new());
        let Some((program, arguments)) = command.split_first() else {
            return Err(not_started("no program is named".to_owned()));
        };
        let mut process = Command::new(program);
        process.args(arguments).stderr(Stdio::piped());
        let started = Child::start(&mut process);
        let (child, Pipes { mut input, output, errors }) =
            started.map_err(|error| not_started(format!("{program}: {error}")))?;
        let (requests, to_send) = sync_channel::<String>(1);
        thread::spawn(move || {
            // When the process no longer reads, its replies tell why.
            while let Ok(line) = to_send.recv() {
                if input.write_all(line.as_bytes()).and_then(|()| input.flush()).is_err() {
                    break;
                }
            }
        });
        let (received, replies) = sync_channel(1);
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            // An error of the pipe is its end.
            while let Ok(Some(line)) = lines::read(&mut output, REPLY_BYTES_MAX) {
                let is_last = line == Line::Endless;
                if received.send(line).is_err() || is_last {
                    break;
                }
            }
        });
        let log = Log::default();
        let (ends, log_end) = sync_channel(0);
        if let Some(errors) = errors {
            let log = log.clone();
            thread::spawn(move || {
                log.fill(errors);
                drop(ends);
            });
        }
        let mut adapter = Self {
            child,
            requests: Some(requests),
            replies,
            log,
            log_end,
            limits: *limits,
            stop: stop.clone(),
            next_id: 1,
            ping: Duration::ZERO,
            said: Vec::new(),
        };
        match adapter.greet() {
            Ok(hello) => Ok((adapter, hello)),
            Err(fault) => Err((fault, adapter.log())),
        }
    }

    fn greet(&mut self) -> Result<Hello, Fault> {
        let mut known: Option<Hello> = None;
        let mut ping = Duration::ZERO;
        for _ in 0..MEASURED {
            let started = Instant::now();
            let reply = self.ask_within(&Request::Hello, self.scaled(START))?;
            // The first one has the start of the program in it.
            if known.is_some() {
                ping = ping.max(started.elapsed());
            }
            let shape = |error| Fault::Shape { request: "hello".to_owned(), error };
            let ok = match reply {
                Reply::Ok(ok) => ok,
                Reply::Reject { .. } | Reply::Unsupported(_) => {
                    return Err(self.fail(shape(ReplyError::Shape {
                        field: String::new(),
                        expected: "`ok`".to_owned(),
                        found: "a refusal to say hello".to_owned(),
                    })));
                }
            };
            let hello = Hello::read(&ok).map_err(|error| self.fail(shape(error)))?;
            if known.as_ref().is_some_and(|known| *known != hello) {
                return Err(self.fail(shape(ReplyError::Shape {
                    field: "ok".to_owned(),
                    expected: "the same reply to every hello".to_owned(),
                    found: "another one".to_owned(),
                })));
            }
            known = Some(hello);
        }
        self.ping = ping;
        self.said.clear();
        known.ok_or_else(|| Fault::Start("no hello was asked".to_owned()))
    }

    /// How long a `hello` took, at most.
    #[must_use]
    pub fn ping(&self) -> Duration {
        self.ping
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.last()
    }

    /// What went over the pipes since the last time: requests with their replies.
    pub fn take_said(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.said)
    }

    /// Asks, and waits for the reply.
    ///
    /// # Errors
    /// Any fault; the process is ended then.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Fault> {
        let is_slow = matches!(request, Request::Call { op, .. } if is_slow(op));
        let least = if is_slow { SLOW_CALL } else { CALL };
        self.ask_within(request, self.scaled(least.max(self.ping * HELLOS)))
    }

    fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64(self.limits.time_factor)
    }

    fn fail(&mut self, fault: Fault) -> Fault {
        self.child.end();
        // What it said last may still be in the pipe; what left its group may hold the pipe open.
        let _ = self.log_end.recv_timeout(CLOSE);
        fault
    }

    fn ask_within(&mut self, request: &Request, limit: Duration) -> Result<Reply, Fault> {
        let id = self.next_id;
        self.next_id += 1;
        let line = request.line(id);
        let asked = request.name();
        let answer = self.exchange(&line, &asked, limit);
        let heard = match &answer {
            Ok(heard) => String::from_utf8_lossy(heard).into_owned(),
            Err(fault) => format!("({fault})"),
        };
        if self.said.len() >= SAID_MAX * 2 {
            self.said.drain(..SAID_MAX);
        }
        self.said.push((line, heard));
        let reply = answer.and_then(|heard| {
            Reply::parse(&heard, id).map_err(|error| match error {
                ReplyError::Garbage(what) => Fault::Garbage { request: asked, what },
                error if is_of_before(&heard, id) => Fault::Noise {
                    when: format!("before {asked}"),
                    line: format!("a second reply to an earlier request ({error})"),
                },
                error => Fault::Shape { request: asked, error },
            })
        });
        reply.map_err(|fault| self.fail(fault))
    }

    /// Sends a line and waits for the one that answers it. A run that is to stop asks nothing more, and what
    /// becomes of the adapter then is no fault of its.
    fn exchange(&mut self, line: &str, asked: &str, limit: Duration) -> Result<Vec<u8>, Fault> {
        if let Some(reason) = self.stop.reason() {
            return Err(Fault::Stopped(reason));
        }
        let answer = self.exchanged(line, asked, limit);
        match (answer, self.stop.reason()) {
            (Err(Fault::Died { .. }), Some(reason)) => Err(Fault::Stopped(reason)),
            (answer, _) => answer,
        }
    }

    fn exchanged(&mut self, line: &str, asked: &str, limit: Duration) -> Result<Vec<u8>, Fault> {
        if let Some(status) = self.child.ended() {
            return Err(Fault::Died { status: status.to_owned(), request: asked.to_owned() });
        }
        self.quiet(&format!("before {asked}"))?;
        let sent = self.requests.as_ref().map(|requests| requests.try_send(format!("{line}\n")));
        if matches!(sent, Some(Err(TrySendError::Full(_)))) {
            return Err(Fault::Noise {
                when: format!("before {asked}"),
                line: "(it replied to a request that it has not read)".to_owned(),
            });
        }
        let started = Instant::now();
        let mut looked = started;
        loop {
            match self.replies.recv_timeout(LOOK) {
                Ok(Line::Whole(line)) => return Ok(line),
                Ok(Line::Endless) => return Err(Fault::Endless { request: asked.to_owned() }),
                // Its end says more than half a line.
                Ok(Line::Cut(_)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.died(asked));
                }
                Err(RecvTimeoutError::Timeout) => {
                    // What it started may hold its output open; a line that it wrote is still to come.
                    if let Some(status) = self.child.has_ended()
                        && !matches!(self.replies.recv_timeout(LOOK), Ok(Line::Whole(_)))
                    {
                        return Err(Fault::Died { status, request: asked.to_owned() });
                    }
                }
            }
            if let Some(reason) = self.stop.reason() {
                return Err(Fault::Stopped(reason));
            }
            if looked.elapsed() >= LOOK_AT_MEMORY {
                looked = Instant::now();
                let (mib, mib_max) = (resident_mib(self.child.id()), self.limits.memory_mib_max);
                if mib > mib_max {
                    return Err(Fault::Memory { mib, mib_max, request: asked.to_owned() });
                }
            }
            if started.elapsed() >= limit {
                let came_at_close = self.comes_at_close();
                return Err(Fault::Late { request: asked.to_owned(), limit, came_at_close });
            }
        }
    }

    /// Closes its input and sees whether a line comes: one that waited in a buffer does.
    fn comes_at_close(&mut self) -> bool {
        self.requests = None;
        matches!(self.replies.recv_timeout(CLOSE), Ok(Line::Whole(_) | Line::Cut(_)))
    }

    fn died(&mut self, asked: &str) -> Fault {
        Fault::Died { status: self.child.ending(), request: asked.to_owned() }
    }

    /// Nothing has come that nobody asked for.
    fn quiet(&mut self, when: &str) -> Result<(), Fault> {
        let line = match self.replies.try_recv() {
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            Ok(Line::Whole(line) | Line::Cut(line)) => {
                let text: String = String::from_utf8_lossy(&line).chars().take(80).collect();
                format!("{text:?}")
            }
            Ok(Line::Endless) => format!("a line of more than {REPLY_BYTES_MAX} bytes"),
        };
        Err(Fault::Noise { when: when.to_owned(), line })
    }

    /// Says goodbye and waits for the end.
    ///
    /// # Errors
    /// When it does not end in time, ends with another exit code, or goes on talking.
    pub fn bye(mut self) -> Result<(), Fault> {
        let line = Request::Bye.line(self.next_id);
        // A process that has ended reads nothing; its end tells why.
        let _ = self.requests.as_ref().map(|requests| requests.try_send(format!("{line}\n")));
        match self.replies.recv_timeout(self.scaled(BYE)) {
            Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => {
                let limit = self.scaled(BYE).as_secs_f64();
                return Err(Fault::Bye(format!("it did not end within {limit:.1} s of bye")));
            }
            Ok(line) => {
                let text = match line {
                    Line::Whole(line) | Line::Cut(line) => {
                        String::from_utf8_lossy(&line).chars().take(80).collect()
                    }
                    Line::Endless => format!("more than {REPLY_BYTES_MAX} bytes"),
                };
                return Err(Fault::Noise { when: "after bye".to_owned(), line: text });
            }
        }
        match self.child.wait(self.scaled(BYE)) {
            Some(status) if status == "exit status: 0" => Ok(()),
            Some(status) => Err(Fault::Bye(format!("it ended with {status} on bye"))),
            None => Err(Fault::Bye("its output is closed, yet it runs on after bye".to_owned())),
        }
    }
}

/// Whether a line is a reply to a request that has its reply already.
fn is_of_before(line: &[u8], id: u64) -> bool {
    let line: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    let found = line.and_then(|line| line.get("id").and_then(serde_json::Value::as_u64));
    found.is_some_and(|found| found < id)
}

/// Operations that may take long.
fn is_slow(op: &str) -> bool {
    op.starts_with("pre.") || op.starts_with("paper.pre.")
}
