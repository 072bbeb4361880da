//! `mdsm-harness throughput`: blocks of real processes under load.

use clap::{Args, value_parser};
use harness::living::load::{Load, run};

use harness::output::say;
use harness::verdict::Exit;

/// `mdsm-harness throughput`.
#[derive(Args)]
pub(crate) struct Throughput {
    /// Bytes of the content of a record; several make several rows.
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_value = "1024",
        value_parser = value_parser!(u32).range(1..=102_400))]
    bytes: Vec<u32>,
    /// Records of a row.
    #[arg(long, value_name = "N", default_value = "20000", value_parser = value_parser!(u32).range(1..=1_000_000))]
    records: u32,
    /// Clients, each with one record on its way.
    #[arg(long, value_name = "N", default_value = "64", value_parser = value_parser!(u16).range(1..=4_096))]
    clients: u16,
    /// Milliseconds of a turn.
    #[arg(long, value_name = "MS", default_value = "500", value_parser = value_parser!(u32).range(50..=60_000))]
    turn_ms: u32,
}

pub(crate) fn throughput(command: &Throughput) -> Result<Exit, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    say(format!(
        "4 producers and 4 auditors, a process each; {} clients; turns of {} ms\n\
         | content bytes | records | acknowledged/s | final/s | MB/s final | blocks/s | records a block | proven |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|",
        command.clients, command.turn_ms
    ))?;
    for bytes in &command.bytes {
        let (records, clients) = (to_usize(command.records), usize::from(command.clients));
        let load = Load { records, bytes: to_usize(*bytes), clients, turn_ms: command.turn_ms };
        let carried = run(&program, load)?;
        let (records, blocks) = (carried.records as f64, carried.blocks as f64);
        say(format!(
            "| {bytes} | {records} | {:.0} | {:.0} | {:.1} | {:.2} | {:.0} | {} |\n  limit: {}",
            records / carried.accepted_s,
            records / carried.final_s,
            carried.bytes as f64 / carried.final_s / 1e6,
            blocks / carried.final_s,
            records / blocks.max(1.0),
            carried.proven,
            carried.limit(&load),
        ))?;
    }
    Ok(Exit::Conforms)
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).expect("32 bits fit")
}
