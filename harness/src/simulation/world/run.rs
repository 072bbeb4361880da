//! The loop: take the next event, let the node act, carry out what it wants.

use std::rc::Rc;

use super::disk::Disk;
use super::host::{self, Action, Crash, Host, Message, Node, Observer, To};
use super::network::{Fate, Links, Network};
use super::queue::Queue;
use super::slab::Slab;
use super::{Trace, mix};

/// Something that befalls the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// A node crashes.
    Crash(Node, Crash),
    /// A node comes back.
    Restart(Node),
    /// One direction of a link is cut (`true`) or mended.
    Cut(Node, Node, bool),
    /// Links behave so from now on.
    Links(Links),
    /// Every link is mended and every node is up.
    Heal,
}

/// Two words, as most of the memory that a run touches holds events.
enum Event<H: Host> {
    Deliver {
        from: Node,
        to: Node,
        message: Rc<H::Message>,
    },
    /// By its place among the timers.
    Timer(u32),
    Control(Box<Control>),
}

/// A timer that runs.
struct Running<T> {
    node: Node,
    life: u32,
    timer: T,
}

struct Place<H: Host> {
    host: H,
    institution: u32,
    disk: host::Disk<H>,
    is_up: bool,
    /// Counts restarts, so that timers of an earlier life mean nothing.
    life: u32,
    /// It crashes at its next write.
    doomed: Option<Crash>,
    /// Its clock runs so many thousandths too fast.
    rate: i32,
}

/// Nodes and all that is between them.
pub struct World<H: Host> {
    now_ms: u64,
    queue: Queue<Event<H>>,
    timers: Slab<Running<H::Timer>>,
    places: Vec<Place<H>>,
    /// Nodes of an institution: one, or two when it has a twin.
    nodes_of: Vec<Vec<Node>>,
    /// The links.
    pub network: Network,
    trace: Trace,
    delivered: u64,
    key: u64,
    actions: Vec<Action<H>>,
}

impl<H: Host> std::fmt::Debug for World<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World(at {} ms)", self.now_ms)
    }
}

impl<H: Host> World<H> {
    /// A world before its first event. Nodes are numbered in the order given.
    #[must_use]
    pub fn new(hosts: Vec<(u32, H)>, key: u64, links: Links) -> Self {
        let count = hosts.len();
        let highest = hosts.iter().map(|(institution, _)| *institution).max().unwrap_or(0);
        let mut nodes_of = vec![Vec::new(); highest as usize + 1];
        for (node, (institution, _)) in (0..).zip(&hosts) {
            nodes_of[*institution as usize].push(node);
        }
        let place = |(institution, host)| Place {
            host,
            institution,
            disk: Disk::new(),
            is_up: false,
            life: 0,
            doomed: None,
            rate: 0,
        };
        Self {
            now_ms: 0,
            queue: Queue::new(),
            timers: Slab::default(),
            places: hosts.into_iter().map(place).collect(),
            nodes_of,
            network: Network::new(count, key, links),
            trace: Trace::default(),
            delivered: 0,
            key,
            actions: Vec::new(),
        }
    }

    /// Lets a node's clock run so many thousandths too fast.
    pub fn set_rate(&mut self, node: Node, rate: i32) {
        self.places[usize::from(node)].rate = rate;
    }

    /// Plans something.
    pub fn plan(&mut self, at_ms: u64, control: Control) {
        self.queue.put(at_ms, Event::Control(Box::new(control)));
    }

    /// Starts every node.
    pub fn start(&mut self, observer: &mut impl Observer<H>) {
        for node in 0..self.nodes() {
            self.restart(node, observer);
        }
    }

    /// Number of nodes.
    #[must_use]
    pub fn nodes(&self) -> Node {
        Node::try_from(self.places.len()).unwrap_or(Node::MAX)
    }

    /// A node.
    #[must_use]
    pub fn host(&self, node: Node) -> &H {
        &self.places[usize::from(node)].host
    }

    /// A node's disk.
    #[must_use]
    pub fn disk(&self, node: Node) -> &host::Disk<H> {
        &self.places[usize::from(node)].disk
    }

    /// Whether a node is up.
    #[must_use]
    pub fn is_up(&self, node: Node) -> bool {
        self.places[usize::from(node)].is_up
    }

    /// Now.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Digest of everything that happened.
    #[must_use]
    pub fn digest(&self) -> u128 {
        self.trace.digest()
    }

    /// Messages delivered.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Runs until a time.
    pub fn run(&mut self, until_ms: u64, observer: &mut impl Observer<H>) {
        while let Some((now_ms, event)) = self.queue.take(until_ms) {
            self.now_ms = now_ms;
            self.happen(event, observer);
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    fn happen(&mut self, event: Event<H>, observer: &mut impl Observer<H>) {
        let now_ms = self.now_ms;
        match event {
            Event::Deliver { from, to, message } => {
                let from_institution = self.places[usize::from(from)].institution;
                let place = &mut self.places[usize::from(to)];
                if !place.is_up {
                    return;
                }
                self.delivered += 1;
                let link = u64::from(from) << 48 | u64::from(to) << 32;
                self.trace.add(mix(message.mark(), link ^ now_ms));
                let mut actions = std::mem::take(&mut self.actions);
                place.host.hear(now_ms, from_institution, &message, &mut actions);
                self.carry_out(to, actions, observer);
            }
            Event::Timer(at) => {
                let Some(Running { node, life, timer }) = self.timers.take(at) else { return };
                let place = &mut self.places[usize::from(node)];
                if !place.is_up || place.life != life || !place.host.heeds(&timer) {
                    return;
                }
                let mut actions = std::mem::take(&mut self.actions);
                place.host.ring(now_ms, timer, &mut actions);
                self.carry_out(node, actions, observer);
            }
            Event::Control(control) => self.control(*control, observer),
        }
    }

    fn control(&mut self, control: Control, observer: &mut impl Observer<H>) {
        self.trace.add(mix(self.now_ms, 0xc0));
        match control {
            Control::Crash(node, kind @ (Crash::AfterWrite | Crash::Torn)) => {
                self.places[usize::from(node)].doomed = Some(kind);
            }
            Control::Crash(node, kind) => self.crash(node, kind, observer),
            Control::Restart(node) => self.restart(node, observer),
            Control::Cut(from, to, is_cut) => self.network.cut(from, to, is_cut),
            Control::Links(links) => self.network.links = links,
            Control::Heal => {
                self.network.mend();
                for node in 0..self.nodes() {
                    self.places[usize::from(node)].doomed = None;
                    self.restart(node, observer);
                }
            }
        }
    }

    fn crash(&mut self, node: Node, kind: Crash, observer: &mut impl Observer<H>) {
        let place = &mut self.places[usize::from(node)];
        if !place.is_up {
            return;
        }
        place.is_up = false;
        place.life += 1;
        place.doomed = None;
        place.host.fall();
        if kind == Crash::LostSync {
            let entries = place.disk.entries.len();
            let draw = mix(self.key ^ self.now_ms, u64::from(node));
            let kept = usize::try_from(draw % (entries as u64 + 1)).unwrap_or(0);
            place.disk.lose(kept);
            observer.lost(self.now_ms, node);
        }
    }

    fn restart(&mut self, node: Node, observer: &mut impl Observer<H>) {
        let place = &mut self.places[usize::from(node)];
        if place.is_up {
            return;
        }
        place.is_up = true;
        place.life += 1;
        let mut actions = std::mem::take(&mut self.actions);
        place.host.wake(self.now_ms, &place.disk, &mut actions);
        self.carry_out(node, actions, observer);
    }

    fn carry_out(
        &mut self,
        node: Node,
        mut actions: Vec<Action<H>>,
        observer: &mut impl Observer<H>,
    ) {
        let now_ms = self.now_ms;
        for action in actions.drain(..) {
            match action {
                Action::Append(entry) => {
                    let place = &mut self.places[usize::from(node)];
                    let doomed = place.doomed.take();
                    if doomed != Some(Crash::Torn) {
                        observer.wrote(now_ms, node, &entry);
                        place.disk.append(entry);
                    }
                    if doomed.is_some() {
                        self.crash(node, Crash::Clean, observer);
                        break;
                    }
                }
                Action::Checkpoint(state) => {
                    self.places[usize::from(node)].disk.replace(state);
                }
                Action::Send { to, message } => {
                    observer.sent(now_ms, node, &to, &message);
                    self.send(node, &to, &message);
                }
                Action::Arm { timer, after_ms } => {
                    let place = &self.places[usize::from(node)];
                    let after = i64::from(after_ms);
                    let scaled = after + after * i64::from(place.rate) / 1_000;
                    let at_ms = now_ms + u64::try_from(scaled).unwrap_or(0);
                    let life = place.life;
                    let at = self.timers.put(Running { node, life, timer });
                    self.queue.put(at_ms, Event::Timer(at));
                }
                Action::Observe(observation) => observer.saw(now_ms, node, observation),
            }
        }
        actions.clear();
        self.actions = actions;
    }

    fn send(&mut self, from: Node, to: &To, message: &Rc<H::Message>) {
        let mark = message.mark();
        match to {
            To::One(institution) => self.fan_out(from, &[*institution], mark, message),
            To::Many(institutions) => self.fan_out(from, institutions, mark, message),
        }
    }

    fn fan_out(&mut self, from: Node, to: &[u32], mark: u64, message: &Rc<H::Message>) {
        for institution in to {
            let Some(nodes) = self.nodes_of.get(*institution as usize) else { continue };
            for &node in nodes {
                if node == from {
                    continue;
                }
                let fate = self.network.fate(self.now_ms, from, node, mark);
                let Fate::Comes { after_ms, again_ms } = fate else { continue };
                let at_ms = self.now_ms + u64::from(after_ms);
                let deliver = |message: &Rc<H::Message>| Event::Deliver {
                    from,
                    to: node,
                    message: message.clone(),
                };
                self.queue.put(at_ms, deliver(message));
                if let Some(again_ms) = again_ms {
                    self.queue.put(at_ms + u64::from(again_ms), deliver(message));
                }
            }
        }
    }
}
