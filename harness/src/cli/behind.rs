//! `mutants`, the part about wrong implementations behind the adapter protocol.

use std::fmt::Write as _;

use harness::conformance::cases;
use harness::glob;
use harness::mutants::behind::{self, Behind, Kill, Stage};
use harness::output::note;
use harness::stop::Stop;

/// What the cases made of the mutants.
pub(super) struct Matrix {
    /// A table in Markdown.
    pub(super) text: String,
    /// Names of those that nothing noticed.
    pub(super) survivors: Vec<&'static str>,
    /// How many of them something noticed.
    pub(super) noticed: usize,
}

/// The mutants whose name matches.
pub(super) fn chosen(only: &str) -> Vec<Behind> {
    behind::all().into_iter().filter(|mutant| glob::matches(only, mutant.name)).collect()
}

/// Puts every case to every mutant; with `is_first` only until one notices it.
pub(super) fn matrix(chosen: &[Behind], is_first: bool, is_quiet: bool, stop: &Stop) -> Matrix {
    let cases = cases::all();
    let mut matrix = Matrix { text: String::new(), survivors: Vec::new(), noticed: 0 };
    let mut rows = String::new();
    let mut killed = [0_usize; Stage::ALL.len()];
    for mutant in chosen {
        if stop.reason().is_some() {
            break;
        }
        let mut kills: Vec<Kill> = Vec::new();
        for (stage, killed) in Stage::ALL.into_iter().zip(&mut killed) {
            if is_first && kills.iter().any(|kill| kill.case.is_some()) {
                break;
            }
            let kill = behind::kill(mutant, stage, &cases);
            *killed += usize::from(kill.case.is_some());
            kills.push(kill);
        }
        let Behind { name, requirement, rule, .. } = mutant;
        let cells: Vec<String> = kills.iter().map(cell).collect();
        let row = format!("| {name} | {requirement} | {rule} | {} |", cells.join(" | "));
        if !is_quiet {
            note(&row);
        }
        rows.push_str(&row);
        rows.push('\n');
        if kills.iter().any(|kill| kill.case.is_some()) {
            matrix.noticed += 1;
        } else {
            matrix.survivors.push(mutant.name);
        }
    }
    let ([vectors, properties], noticed) = (killed, matrix.noticed);
    let _ = write!(
        matrix.text,
        "{noticed} of {} noticed: {vectors} by vectors, {properties} by properties.\n\n\
         | mutant | sentence | what is wrong | vector | property |\n|---|---|---|---|---|\n{rows}",
        chosen.len(),
    );
    matrix
}

fn cell(kill: &Kill) -> String {
    let ms = kill.micros.div_ceil(1_000);
    match &kill.case {
        Some((id, _)) => format!("{id}, case {}, {ms} ms", kill.asked),
        None => format!("- ({}, {ms} ms)", kill.asked),
    }
}
