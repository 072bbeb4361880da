//! Numbers for an operator, in Prometheus' text format.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::status::Status;
use crate::node::Commit;

/// What is counted. Every number is one atomic integer; reading costs the writers nothing.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) messages_in: Counter,
    pub(super) messages_out: Counter,
    pub(super) garbage: Counter,
    pub(super) accepted: Counter,
    pub(super) refused: Counter,
    pub(super) convictions: Counter,
    blocks: Counter,
    booked: Counter,
    height: Gauge,
    epoch: Gauge,
    view: Gauge,
    waiting: Gauge,
    connected: Gauge,
    syncs: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mdsm");
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let messages_in = counter("messages_in", "Messages taken from other institutions");
        let messages_out = counter("messages_out", "Messages handed to the links");
        let garbage = counter("messages_garbage", "Messages of others that could not be decoded");
        let accepted = counter("records_accepted", "Records acknowledged to clients");
        let refused = counter("records_refused", "Records refused to clients");
        let convictions = counter("convictions", "Institutions caught by this node");
        let blocks = counter("blocks", "Blocks made final since the start");
        let booked = counter("records_booked", "Records booked since the start");
        let mut gauge = |name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let height = gauge("height", "Height of the last final block");
        let epoch = gauge("epoch", "The open epoch");
        let view = gauge("view", "The view of consensus");
        let waiting = gauge("records_waiting", "Records that wait for a block");
        let connected = gauge("connected", "Institutions that can be reached");
        let syncs = gauge("syncs", "Times that something was made durable");
        Self {
            registry,
            messages_in,
            messages_out,
            garbage,
            accepted,
            refused,
            convictions,
            blocks,
            booked,
            height,
            epoch,
            view,
            waiting,
            connected,
            syncs,
        }
    }
}

impl Metrics {
    /// All numbers as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }

    /// Times that something was made durable.
    #[must_use]
    pub fn syncs(&self) -> i64 {
        self.syncs.get()
    }

    pub(super) fn committed(&self, commit: &Commit) {
        self.blocks.inc_by(commit.booked.len() as u64);
        self.booked.inc_by(commit.booked.iter().map(|block| block.len() as u64).sum());
    }

    pub(super) fn observe(&self, status: &Status, syncs: u64) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.height.set(signed(status.height.get()));
        self.epoch.set(status.epoch.get().into());
        self.view.set(signed(status.view.get()));
        self.waiting.set(signed(status.waiting));
        self.connected.set(signed(status.connected));
        self.syncs.set(signed(syncs));
    }
}
