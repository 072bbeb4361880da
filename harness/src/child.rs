//! A process that this one started: it leads a group of its own, and nothing of the group outlives it.
//!
//! On Unix what it started ends with it; what leaves the group on purpose is out of reach.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process that closed its output may take to say how it ended.
const END: Duration = Duration::from_millis(500);

/// A started process. Ended when dropped, with all that it started.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    /// How it ended, once it was ended.
    ended: Option<String>,
}

/// The ends of its pipes; of standard error only where it was asked for.
#[derive(Debug)]
pub struct Pipes {
    /// What it reads.
    pub input: ChildStdin,
    /// What it writes.
    pub output: ChildStdout,
    /// What it logs.
    pub errors: Option<ChildStderr>,
}

impl Child {
    /// Starts a program with its input and output piped; standard error as the command says.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<(Self, Pipes)> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let pipes = Pipes {
            input: child.stdin.take().expect("piped above"),
            output: child.stdout.take().expect("piped above"),
            errors: child.stderr.take(),
        };
        Ok((Self { child, ended: None }, pipes))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if [`Child::end`] was called.
    #[must_use]
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// How it ended, once its output is closed.
    pub fn ending(&mut self) -> String {
        let status = self.wait(END);
        status.unwrap_or_else(|| "its output is closed, yet it runs on".to_owned())
    }

    /// Waits for its end, for no longer than this.
    pub fn wait(&mut self, limit: Duration) -> Option<String> {
        let started = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.to_string()),
                Ok(None) if started.elapsed() >= limit => return None,
                #[expect(
                    clippy::disallowed_methods,
                    reason = "no event tells the end of a process"
                )]
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Some(error.to_string()),
            }
        }
    }

    /// Ends the process and what it started; what was started here and nothing else.
    pub fn end(&mut self) {
        if self.ended.is_some() {
            return;
        }
        // A number stays the group's for as long as somebody is in it, the process that is not yet
        // waited for included.
        end_group(self.child.id());
        // Both fail only for a process that has ended and was waited for.
        let _ = self.child.kill();
        let status = self.child.wait();
        self.ended =
            Some(status.map_or_else(|error| error.to_string(), |status| status.to_string()));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills the processes of a group. The shell does it: to send a signal to a group takes a call that
/// the standard library has not.
#[cfg(unix)]
fn end_group(leader: u32) {
    let kill = format!("kill -s KILL -- -{leader}");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &kill]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It fails where nobody is left in the group; the process itself is ended in any case.
    let _ = shell.status();
}

#[cfg(not(unix))]
fn end_group(_: u32) {}
