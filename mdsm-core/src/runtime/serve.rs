//! Answers to other institutions from what is stored. [CON-7]

use std::sync::Arc;

use super::books::{Books, BooksError};
use crate::node::{Message, Wanted};
use crate::types::Height;

/// Decisions in one answer, at most.
const DECISIONS_MAX: usize = 8;

/// Messages that answer; none when what is wanted is not there. What cannot be read is told to the operator and
/// left out: others have it.
pub(super) fn answers(books: &Books, wanted: &Wanted) -> Vec<Message> {
    found(books, wanted).unwrap_or_else(|error| {
        tracing::warn!(%error, ?wanted, "a peer asks for what cannot be read");
        Vec::new()
    })
}

fn found(books: &Books, wanted: &Wanted) -> Result<Vec<Message>, BooksError> {
    let rows = books.rows();
    match wanted {
        Wanted::Items(roots) => {
            let mut messages = Vec::new();
            for root in roots {
                let item = rows.item(root)?;
                messages.extend(item.map(|item| Message::Item(Arc::new(item))));
            }
            Ok(messages)
        }
        Wanted::Anchor(epoch) => {
            let certificate = rows.certificate(*epoch)?;
            Ok(certificate.map(|it| Message::Certificate(Arc::new(it))).into_iter().collect())
        }
        Wanted::Block(hash) => {
            let decision = books.decision_of(hash)?;
            Ok(decision.map(|it| Message::Decision(Arc::new(it))).into_iter().collect())
        }
        Wanted::Decision { after } => decisions(books, *after),
    }
}

fn decisions(books: &Books, after: Height) -> Result<Vec<Message>, BooksError> {
    let (mut found, mut after) = (Vec::new(), after);
    while found.len() < DECISIONS_MAX {
        let Some(decision) = books.decision_above(after)? else { break };
        after = decision.blocks.last().map_or(after, |block| block.signed.header.height);
        found.push(Message::Decision(Arc::new(decision)));
    }
    Ok(found)
}
