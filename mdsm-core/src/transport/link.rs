//! One link after its handshake, until it ends.

use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::assembly::{Arrival, Assembler, Budget, Rooms, room};
use super::bounds::{Bounds, ms};
use super::error::LinkEnd;
use super::frame::{FrameReader, FrameWriter};
use super::outbox::Outbox;
use super::table::{Slot, Table};

/// What all links of a node share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) bounds: Bounds,
    pub(super) table: Table,
    pub(super) budget: Arc<Budget>,
    pub(super) arrivals_all: Rooms,
    pub(super) queued: Arc<super::outbox::Queued>,
    pub(super) arrivals: mpsc::Sender<Arrival>,
}

/// Ready when the node stops, or was dropped.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the mesh is gone, which is a stop too.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}

/// Carries messages both ways until something ends it. `number` orders the links of this node.
pub(super) async fn run<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    shared: &Shared,
    slot: &Slot,
    number: u64,
    (mut reader, mut writer): (FrameReader<R>, FrameWriter<W>),
    stop: &mut watch::Receiver<bool>,
) -> LinkEnd {
    let bounds = &shared.bounds;
    let outbox = Arc::new(Outbox::new(bounds.queue_bytes_max, Arc::clone(&shared.queued)));
    let replaced = match shared.table.join(slot, number, &outbox) {
        Ok(replaced) => replaced,
        Err(end) => return end,
    };
    let _leaving = Leaving { shared, slot, number, outbox: &outbox };
    let mut sending = pin!(send(&mut writer, &outbox, slot, bounds));
    let end = tokio::select! {
        end = receive(&mut reader, shared, slot, number) => end,
        end = &mut sending => end,
        _ = replaced => LinkEnd::Replaced,
        () = stopped(stop) => LinkEnd::Stopped,
    };
    if end == LinkEnd::Stopped {
        outbox.close();
        // What does not leave in time is dropped and counted like the rest.
        let last = async { tokio::join!(sending, reader.discard()) };
        let _ = timeout(ms(bounds.stop_ms), last).await;
    }
    end
}

/// Takes the link off the table however it ends.
struct Leaving<'a> {
    shared: &'a Shared,
    slot: &'a Slot,
    number: u64,
    outbox: &'a Outbox,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.slot.counters.dropped_cut.add(self.outbox.clear());
        self.shared.table.leave(self.slot, self.number);
    }
}

/// Reads frames and hands messages over; while the node is slow to take them, nothing is read.
async fn receive<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    shared: &Shared,
    slot: &Slot,
    number: u64,
) -> LinkEnd {
    let silence_ms = shared.bounds.silence_ms;
    let mut assembler = Assembler::new(&shared.budget, number);
    let evicted = assembler.evicted();
    loop {
        let next = reader.number_of_next();
        let frame = tokio::select! {
            biased;
            () = evicted.notified() => return assembler.eviction(),
            frame = timeout(ms(silence_ms), reader.frame()) => frame,
        };
        let is_whole = match frame {
            Err(_) => return LinkEnd::Silent { ms: silence_ms },
            Ok(frame) => frame.and_then(|frame| assembler.take(frame, next)),
        };
        match is_whole {
            Err(end) => return end,
            Ok(false) => {}
            Ok(true) => {
                let bytes = assembler.whole();
                slot.counters.messages_in.add(1);
                slot.counters.bytes_in.add(bytes.len());
                let length = bytes.len();
                let handed_over = async {
                    let room = room(&slot.arrivals, &shared.arrivals_all, length).await?;
                    let arrival = Arrival { from: slot.peer.institution, bytes, room };
                    shared.arrivals.send(arrival).await.ok()
                };
                let is_taken = tokio::select! {
                    biased;
                    () = evicted.notified() => return LinkEnd::Evicted { bytes: length },
                    handed_over = handed_over => handed_over.is_some(),
                };
                if !is_taken {
                    // Nobody takes arrivals any more.
                    return LinkEnd::Stopped;
                }
                assembler.handed_over();
            }
        }
    }
}

/// Writes what is queued, and signs of life when nothing is; ends well only when the box is closed.
async fn send<W: AsyncWrite + Unpin>(
    writer: &mut FrameWriter<W>,
    outbox: &Outbox,
    slot: &Slot,
    bounds: &Bounds,
) -> LinkEnd {
    match send_all(writer, outbox, slot, bounds).await {
        Ok(()) => LinkEnd::Stopped,
        Err(end) => end,
    }
}

async fn send_all<W: AsyncWrite + Unpin>(
    writer: &mut FrameWriter<W>,
    outbox: &Outbox,
    slot: &Slot,
    bounds: &Bounds,
) -> Result<(), LinkEnd> {
    let stalled = |_| LinkEnd::Stalled { ms: bounds.stall_ms };
    let stall = ms(bounds.stall_ms);
    // The acceptor's welcome; to an acceptor it says nothing.
    timeout(stall, writer.alive()).await.map_err(stalled)??;
    loop {
        let Ok(next) = timeout(ms(bounds.alive_ms), outbox.next()).await else {
            timeout(stall, writer.alive()).await.map_err(stalled)??;
            continue;
        };
        let Some(message) = next else {
            return timeout(stall, writer.shutdown()).await.map_err(stalled)?;
        };
        let mut rest = timeout(stall, writer.start(&message)).await.map_err(stalled)??;
        while !rest.is_empty() {
            rest = timeout(stall, writer.more(rest)).await.map_err(stalled)??;
        }
        outbox.written(&message);
        slot.counters.messages_out.add(1);
        slot.counters.bytes_out.add(message.len());
    }
}
