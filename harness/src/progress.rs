//! Progress on standard error: a bar on a terminal, a line per phase elsewhere, nothing with `--quiet`.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::note;

/// Says what is going on.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    /// Shows nothing when `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let on_terminal = !quiet && std::io::stderr().is_terminal();
        let bar = on_terminal.then(|| {
            let style =
                ProgressStyle::with_template("{elapsed:>4} {msg:<12} {wide_bar} {pos}/{len}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, quiet }
    }

    /// Begins a phase of `steps` steps; 0 when their number is not known.
    pub fn start(&self, phase: &'static str, steps: usize) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(u64::try_from(steps).unwrap_or(u64::MAX));
                bar.set_position(0);
                bar.set_message(phase);
            }
            None if self.quiet => {}
            None if steps == 0 => note(phase),
            None => note(format!("{phase}: {steps}")),
        }
    }

    /// One step is done.
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Clears the bar, before the final table.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
