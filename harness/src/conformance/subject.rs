//! The implementation under test, from one case to the next: started, started again, and asked.

use rand_chacha::rand_core::Rng as _;
use serde_json::{Map, Value};

use super::adapter::{Adapter, Fault, Launch};
use super::class::Class;
use super::protocol::{Hello, Reply, Request};
use crate::seed::Seed;

/// Faults in a row after which an adapter is given up.
pub const FAULTS_MAX: u32 = 5;

/// Why a case goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// The adapter broke.
    Fault(Fault),
    /// It does not offer what is needed.
    Unsupported(String),
    /// A claim is broken.
    Broken(String),
    /// No judgement is possible.
    Undecided(String),
}

impl From<Fault> for Interrupt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A program that is kept running.
pub struct Running {
    launch: Launch,
    adapter: Option<Adapter>,
    hello: Hello,
    /// Faults since a case last went through.
    faults: u32,
    /// The log of the adapter that broke last.
    log: Vec<String>,
    said: Vec<(String, String)>,
}

impl Running {
    /// Starts it for the first time.
    ///
    /// # Errors
    /// Any fault, with its log.
    pub fn start(launch: Launch) -> Result<Self, (Fault, Vec<String>)> {
        let (adapter, hello) = Adapter::start(&launch)?;
        Ok(Self {
            launch,
            adapter: Some(adapter),
            hello,
            faults: 0,
            log: Vec::new(),
            said: Vec::new(),
        })
    }

    /// Who it is.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether it broke too often in a row.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.faults >= FAULTS_MAX
    }

    /// What was said in the last case, and the last lines of the log.
    pub fn take_transcript(&mut self) -> (Vec<(String, String)>, Vec<String>) {
        if let Some(adapter) = &mut self.adapter {
            self.said.extend(adapter.take_said());
            self.log = adapter.log();
        }
        (std::mem::take(&mut self.said), self.log.clone())
    }

    /// Runs a case: a fresh start where the last one broke, `reset` before and behind it. The second one
    /// is the fence: whatever the adapter says beside its replies comes before it.
    ///
    /// # Errors
    /// Whatever ends the case early.
    pub fn case<T>(
        &mut self,
        seed: Seed,
        name: &str,
        run: impl FnOnce(&mut Subject<'_>) -> Result<T, Interrupt>,
    ) -> Result<T, Interrupt> {
        self.said.clear();
        let result = self.guarded(seed, name, run);
        match &result {
            Err(Interrupt::Fault(fault)) => {
                // A run that stops ends the adapter itself.
                self.faults += u32::from(!matches!(fault, Fault::Stopped(_)));
                if let Some(mut adapter) = self.adapter.take() {
                    self.said.extend(adapter.take_said());
                    self.log = adapter.log();
                }
            }
            _ => self.faults = 0,
        }
        result
    }

    fn guarded<T>(
        &mut self,
        seed: Seed,
        name: &str,
        run: impl FnOnce(&mut Subject<'_>) -> Result<T, Interrupt>,
    ) -> Result<T, Interrupt> {
        let adapter = match &mut self.adapter {
            Some(adapter) => adapter,
            none => {
                let (adapter, hello) = Adapter::start(&self.launch).map_err(|(fault, log)| {
                    self.log = log;
                    fault
                })?;
                if hello != self.hello {
                    return Err(Interrupt::Broken(
                        "it says another hello than at its first start".to_owned(),
                    ));
                }
                none.insert(adapter)
            }
        };
        let mut subject = Subject::new(adapter, &self.hello, seed, name);
        subject.reset()?;
        let result = run(&mut subject);
        if !matches!(result, Err(Interrupt::Fault(_))) {
            subject.reset()?;
        }
        result
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When it does not end as it should.
    pub fn bye(mut self) -> Result<(), Fault> {
        self.adapter.take().map_or(Ok(()), Adapter::bye)
    }
}

/// Whatever answers requests: a process behind pipes, or a function.
pub trait Answers {
    /// Answers one request.
    ///
    /// # Errors
    /// Any fault of the adapter.
    fn ask(&mut self, request: &Request) -> Result<Reply, Fault>;
}

impl Answers for Adapter {
    fn ask(&mut self, request: &Request) -> Result<Reply, Fault> {
        Self::ask(self, request)
    }
}

/// The implementation within one case.
pub struct Subject<'a> {
    adapter: &'a mut dyn Answers,
    hello: &'a Hello,
    seed: [u8; 32],
}

impl<'a> Subject<'a> {
    /// An implementation that a case of this name is put to.
    #[must_use]
    pub fn new(adapter: &'a mut dyn Answers, hello: &'a Hello, seed: Seed, name: &str) -> Self {
        let mut drawn = [0; 32];
        seed.stream(&format!("conformance/{name}")).fill_bytes(&mut drawn);
        Self { adapter, hello, seed: drawn }
    }

    /// Who it is.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        self.hello
    }

    /// What the case draws from.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.seed
    }

    fn reset(&mut self) -> Result<(), Interrupt> {
        self.reset_to(None)
    }

    /// Forgets everything and opens a network.
    ///
    /// # Errors
    /// A fault, or a refusal.
    pub fn open(&mut self, network: Value) -> Result<(), Interrupt> {
        self.reset_to(Some(network))
    }

    fn reset_to(&mut self, network: Option<Value>) -> Result<(), Interrupt> {
        match self.adapter.ask(&Request::Reset { seed: self.seed, network })? {
            Reply::Ok(_) => Ok(()),
            Reply::Reject { class, detail } => {
                Err(Interrupt::Broken(format!("reset is rejected as {class}: {detail}")))
            }
            Reply::Unsupported(why) => {
                Err(Interrupt::Broken(format!("reset is unsupported: {why}")))
            }
        }
    }

    /// Calls an operation and takes any reply.
    ///
    /// # Errors
    /// A fault, or an operation that is not offered.
    pub fn ask(&mut self, op: &str, args: Value) -> Result<Reply, Interrupt> {
        if !self.hello.offers(op) {
            return Err(Interrupt::Unsupported(format!(
                "{op} is not among the operations of hello"
            )));
        }
        match self.adapter.ask(&Request::Call { op: op.to_owned(), args })? {
            Reply::Unsupported(why) => Err(Interrupt::Unsupported(format!("{op}: {why}"))),
            reply => Ok(reply),
        }
    }

    /// Lets something happen to a node, which is never rejected.
    ///
    /// # Errors
    /// A fault, a rejection, or a network that is not offered.
    pub fn happen(&mut self, request: &Request) -> Result<Map<String, Value>, Interrupt> {
        match self.adapter.ask(request)? {
            Reply::Ok(result) => Ok(result),
            Reply::Reject { class, detail } => {
                let what = request.name();
                Err(Interrupt::Broken(format!("{what} is rejected as {class}: {detail}")))
            }
            Reply::Unsupported(why) => Err(Interrupt::Unsupported(why)),
        }
    }

    /// Calls an operation that has to succeed.
    ///
    /// # Errors
    /// As [`Subject::ask`], and a rejection.
    pub fn call(&mut self, op: &str, args: Value) -> Result<Map<String, Value>, Interrupt> {
        match self.ask(op, args)? {
            Reply::Ok(result) => Ok(result),
            Reply::Reject { class, detail } => {
                Err(Interrupt::Broken(format!("{op} is valid, but rejected as {class}: {detail}")))
            }
            Reply::Unsupported(why) => Err(Interrupt::Unsupported(why)),
        }
    }

    /// Calls an operation that has to be rejected.
    ///
    /// # Errors
    /// As [`Subject::ask`], and a result.
    pub fn rejected(&mut self, op: &str, args: Value, what: &str) -> Result<Class, Interrupt> {
        match self.ask(op, args)? {
            Reply::Reject { class, .. } => Ok(class),
            _ => Err(Interrupt::Broken(format!("{op}: {what} is accepted"))),
        }
    }
}
