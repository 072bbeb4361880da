//! `mdsm`: the program of those who use a network.
//!
//! Exit codes: 0 what was asked for holds, 1 it does not or nobody can be believed about it, 4 the command line or a
//! file is at fault.

mod asking;
mod demo;
mod fetch;
mod keys;
mod logs;
mod node;
mod receipt;
mod record;
mod share;
mod store;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Medical Data Sharing Model: the program of those who use a network.
#[derive(Parser)]
#[command(name = "mdsm", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a whole network on this machine, from a record to Bitcoin.
    Demo(demo::DemoOptions),
    /// Add, open and list records.
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// Open a record: the same as `record open`.
    Open(record::Open),
    /// List what one has asked for; ask an owner for records.
    Request(share::Request),
    /// List who asks for one's records; grant a request and see it through.
    Grant(share::Grant),
    /// List the grants that hold; take one back.
    Revoke(share::Revoke),
    /// Say that what was delivered to one is wrong.
    Dispute(share::Dispute),
    /// List the disputes over one's grants; say what is found in one.
    Confirm(share::Confirm),
    /// Sign that the proxy of one's grant has served.
    Reward(share::Reward),
    /// Fetch a receipt, check it, or write it in another form.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Make and show keys.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Run one institution of a network.
    Node(node::NodeOptions),
    /// Look at what an institution has on its disk.
    #[command(subcommand)]
    Store(store::StoreCommand),
}

/// Why a command did not do what was asked for.
pub(crate) enum Failure {
    /// What was to be shown does not hold.
    Refused(String),
    /// Nobody can be believed about it.
    Unknown(String),
    /// A file cannot be read or written.
    Fault(String),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but not to us.
            let code = if error.use_stderr() { 4 } else { 0 };
            let printed = error.print();
            return ExitCode::from(if printed.is_ok() { code } else { 4 });
        }
    };
    let result = match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Record(command) => record::run(&command),
        Command::Open(options) => record::run(&record::RecordCommand::Open(options)),
        Command::Request(options) => share::request(&options),
        Command::Grant(options) => share::grant(&options),
        Command::Revoke(options) => share::revoke(&options),
        Command::Dispute(options) => share::dispute(&options),
        Command::Confirm(options) => share::confirm(&options),
        Command::Reward(options) => share::reward(&options),
        Command::Receipt(command) => receipt::run(command),
        Command::Keys(command) => keys::run(&command),
        Command::Node(options) => node::run(&options),
        Command::Store(command) => store::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(why)) => {
            eprintln!("refused: {why}");
            ExitCode::from(1)
        }
        Err(Failure::Unknown(why)) => {
            eprintln!("not known: {why}");
            ExitCode::from(1)
        }
        Err(Failure::Fault(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(4)
        }
    }
}
