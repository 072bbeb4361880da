//! A public checker agrees: the rules of the spec in forty lines of their own, searched by Stateright.
//!
//! Four auditors, one of them faulty, two views, one block on each parent, no crash. The restatement
//! shares no code with the machine; it has to reach exactly as many states, and break when a rule of it
//! is broken.

use stateright::{Checker, Model, Property};

use mdsm_core::consensus::Protocol;

use super::{claim, search, small};

/// What can be voted for: block A of view 1; blocks B, on the genesis, and C, on A, of view 2.
const NOTARIZE_A: u8 = 0;
const NULLIFY_1: u8 = 1;
const FINALIZE_A: u8 = 2;
const NOTARIZE_B: u8 = 3;
const NOTARIZE_C: u8 = 4;
const NULLIFY_2: u8 = 5;
const FINALIZE_B: u8 = 6;
const FINALIZE_C: u8 = 7;
const ALL: [u8; 8] =
    [NOTARIZE_A, NULLIFY_1, FINALIZE_A, NOTARIZE_B, NOTARIZE_C, NULLIFY_2, FINALIZE_B, FINALIZE_C];

const VIEW_1: u8 = 0b0000_0111;
const NOTARIZE: u8 = 1 << NOTARIZE_A | 1 << NOTARIZE_B | 1 << NOTARIZE_C;
const NULLIFY: u8 = 1 << NULLIFY_1 | 1 << NULLIFY_2;
const FINALIZE: u8 = 1 << FINALIZE_A | 1 << FINALIZE_B | 1 << FINALIZE_C;

/// An honest auditor: the votes that it cast, the certificates that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Node {
    votes: u8,
    held: u8,
}

type State = [Node; 3];

/// What is voted for in the same view.
fn in_view(what: u8) -> u8 {
    if VIEW_1 >> what & 1 == 1 { VIEW_1 } else { !VIEW_1 }
}

fn kind(what: u8) -> u8 {
    [NOTARIZE, NULLIFY, FINALIZE]
        .into_iter()
        .find(|kind| kind >> what & 1 == 1)
        .expect("every vote is of a kind")
}

impl Node {
    fn view(self) -> u8 {
        match self.held {
            0 => 1,
            held if held & !VIEW_1 != 0 => 3,
            _ => 2,
        }
    }

    fn cast(self, what: u8) -> Self {
        Self { votes: self.votes | 1 << what, ..self }
    }

    fn did(self, what: u8, kinds: u8) -> bool {
        self.votes & in_view(what) & kinds != 0
    }

    fn holds(self, what: u8) -> bool {
        self.held >> what & 1 == 1
    }

    /// A proposal of the view arrives.
    fn notarize(self, what: u8) -> Option<Self> {
        let nothing_final = self.held & FINALIZE == 0;
        let (view, parent) = match what {
            NOTARIZE_A => (1, true),
            NOTARIZE_B => (2, nothing_final && self.holds(NULLIFY_1)),
            _ => (2, self.holds(FINALIZE_A) || (nothing_final && self.holds(NOTARIZE_A))),
        };
        let may = view == self.view() && parent && !self.did(what, NOTARIZE | NULLIFY);
        may.then(|| self.cast(what))
    }

    /// The timer of the view runs out.
    fn nullify(self, what: u8) -> Option<Self> {
        let view = if what == NULLIFY_1 { 1 } else { 2 };
        let may = view == self.view() && !self.did(what, NULLIFY | FINALIZE);
        may.then(|| self.cast(what))
    }

    /// A certificate arrives.
    fn certify(self, what: u8) -> Option<Self> {
        let is_below = in_view(what) == VIEW_1 && self.held & FINALIZE & !VIEW_1 != 0;
        if is_below || self.held & in_view(what) & kind(what) != 0 {
            return None;
        }
        let next = Self { held: self.held | 1 << what, ..self };
        let finalizes = kind(what) == NOTARIZE && !self.did(what, NULLIFY | FINALIZE);
        let finalize = match what {
            NOTARIZE_A => FINALIZE_A,
            NOTARIZE_B => FINALIZE_B,
            _ => FINALIZE_C,
        };
        Some(if finalizes { next.cast(finalize) } else { next })
    }
}

/// The network; `honest` votes and the faulty one make a certificate.
struct Network {
    honest: usize,
}

fn certified(state: &State, honest: usize) -> u8 {
    let is_cast =
        |what: &u8| state.iter().filter(|node| node.votes >> what & 1 == 1).count() >= honest;
    ALL.into_iter().filter(is_cast).fold(0, |all, what| all | 1 << what)
}

fn at_most_one(certified: u8, of: u8) -> bool {
    (certified & of).count_ones() <= 1
}

impl Model for Network {
    type State = State;
    type Action = (usize, Node);

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<(usize, Node)>) {
        let certified = certified(state, self.honest);
        for (at, node) in state.iter().enumerate() {
            for what in ALL {
                let cast = match kind(what) {
                    NOTARIZE => node.notarize(what),
                    NULLIFY => node.nullify(what),
                    _ => None,
                };
                let learnt = (certified >> what & 1 == 1).then(|| node.certify(what)).flatten();
                actions.extend(cast.into_iter().chain(learnt).map(|next| (at, next)));
            }
        }
    }

    fn next_state(&self, state: &State, (at, node): (usize, Node)) -> Option<State> {
        let mut next = *state;
        next[at] = node;
        // Honest auditors are interchangeable.
        next.sort_unstable();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one notarization in a view", |network: &Self, state| {
                let certified = certified(state, network.honest);
                at_most_one(certified, NOTARIZE & !VIEW_1)
            }),
            Property::always("no view is finalized and nullified", |network: &Self, state| {
                let certified = certified(state, network.honest);
                [VIEW_1, !VIEW_1]
                    .into_iter()
                    .all(|view| certified & view & FINALIZE == 0 || certified & view & NULLIFY == 0)
            }),
            Property::always("final blocks are of one chain", |network: &Self, state| {
                let certified = certified(state, network.honest);
                let has = |what: u8| certified >> what & 1 == 1;
                !(has(FINALIZE_B) && (has(FINALIZE_A) || has(FINALIZE_C)))
            }),
            Property::sometimes("a block on a block is final", |network: &Self, state| {
                certified(state, network.honest) >> FINALIZE_C & 1 == 1
            }),
            Property::sometimes(
                "a block behind a skipped view is final",
                |network: &Self, state| certified(state, network.honest) >> FINALIZE_B & 1 == 1,
            ),
        ]
    }
}

#[test]
fn con_7_6_stateright_reaches_the_same_states_and_finds_nothing_either() {
    let public = Network { honest: 2 }.checker().spawn_bfs().join();
    public.assert_properties();
    let ours = search(&small(), Protocol);
    assert_eq!(claim(&ours), None);
    assert_eq!(u64::try_from(public.unique_state_count()).unwrap(), ours.sofar.states);
}

#[test]
fn stateright_finds_what_a_smaller_quorum_breaks() {
    let public = Network { honest: 1 }.checker().spawn_bfs().join();
    assert!(public.discovery("no view is finalized and nullified").is_some());
}
