//! Answers to other institutions from what is stored. [CON-7]

use std::sync::Arc;

use super::books::{Books, BooksError};
use crate::node::{Message, Wanted};

/// Decisions in one answer, at most.
const DECISIONS_MAX: usize = 8;

/// Messages that answer, each read when it is asked for: whoever has had its share costs no more. What is not there or
/// cannot be read is left out, as others have it; the latter is told to the operator.
pub(super) fn answers<'a>(
    books: &'a Books,
    wanted: &'a Wanted,
) -> Box<dyn Iterator<Item = Message> + 'a> {
    let rows = books.rows();
    match wanted {
        Wanted::Items(roots) => Box::new(roots.iter().filter_map(move |root| {
            readable(wanted, rows.item(root)).map(|item| Message::Item(Arc::new(item)))
        })),
        Wanted::Anchor(epoch) => Box::new(lazily(move || {
            let certificate = readable(wanted, rows.certificate(*epoch));
            certificate.map(|it| Message::Certificate(Arc::new(it)))
        })),
        Wanted::Block(hash) => Box::new(lazily(move || {
            let decision = readable(wanted, books.decision_of(hash));
            decision.map(|it| Message::Decision(Arc::new(it)))
        })),
        Wanted::Decision { after } => {
            let mut after = *after;
            let next = move || {
                let decision = readable(wanted, books.decision_above(after))?;
                after = decision.blocks.last().map_or(after, |block| block.signed.header.height);
                Some(Message::Decision(Arc::new(decision)))
            };
            Box::new(std::iter::from_fn(next).take(DECISIONS_MAX))
        }
    }
}

fn lazily(read: impl FnOnce() -> Option<Message>) -> impl Iterator<Item = Message> {
    std::iter::once_with(read).flatten()
}

fn readable<T>(wanted: &Wanted, read: Result<Option<T>, impl Into<BooksError>>) -> Option<T> {
    read.unwrap_or_else(|error| {
        let error = error.into();
        tracing::warn!(%error, ?wanted, "a peer asks for what cannot be read");
        None
    })
}
