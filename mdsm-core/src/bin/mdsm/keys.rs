//! `mdsm keys`: secrets of people and homes of institutions.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use mdsm_core::anchoring::funding_script;
use mdsm_core::environment::{Secret, draw};
use mdsm_core::runtime::{Home, funding_key, link_secret};

use crate::Failure;

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make the secret of a person: one file, from which all its keys come. Nobody can replace it.
    Person {
        /// The file to make.
        file: PathBuf,
    },
    /// Make the home of an institution: its secret, its log of consensus and its store.
    Institution {
        /// The directory to make.
        home: PathBuf,
    },
    /// Show the public keys of a secret.
    Show {
        /// A person's file, or an institution's home.
        path: PathBuf,
    },
}

pub(crate) fn run(command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Person { file } => {
            let secret = Secret::create(file).map_err(fault)?;
            print_person(&secret);
        }
        KeysCommand::Institution { home } => {
            let secret = Secret::from_seed(draw().map_err(fault)?);
            Home::create(home, &secret).map_err(fault)?;
            print_institution(&secret);
        }
        KeysCommand::Show { path } if path.is_dir() => {
            print_institution(&Home::open(path).map_err(fault)?.1);
        }
        KeysCommand::Show { path } => print_person(&read(path)?),
    }
    Ok(())
}

/// Reads the secret of a person.
pub(crate) fn read(file: &Path) -> Result<Secret, Failure> {
    Secret::read(file).map_err(fault)
}

fn print_person(secret: &Secret) {
    println!("owner    {}", secret.signing().owner());
}

/// What the other members need, as it stands in the file of the network.
fn print_institution(secret: &Secret) {
    println!("key = \"{}\"", secret.signing().owner());
    println!("link = \"{}\"", link_secret(secret).public());
    println!("# coins for anchors go to the script {:x}", funding_script(&funding_key(secret)));
}

fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::Fault(error.to_string())
}
