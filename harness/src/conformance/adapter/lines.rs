//! Lines from a pipe, with bounds.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Last lines of standard error that are kept.
const LOG_LINES: usize = 64;
/// Bytes of such a line that are kept.
const LOG_LINE_BYTES: u64 = 512;

/// Something that came out of a pipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its LF.
    Whole(Vec<u8>),
    /// A line that ends with the pipe and has no LF.
    Cut(Vec<u8>),
    /// A line above the bound; nothing more is read.
    Endless,
}

/// Reads a line of at most so many bytes; `None` at the end.
pub(super) fn read(input: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    // One byte more than fits tells a line that is full from one that is too long.
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    input.take(bound).read_until(b'\n', &mut line)?;
    Ok(match line.last() {
        None => None,
        Some(b'\n') => {
            line.pop();
            Some(Line::Whole(line))
        }
        Some(_) if line.len() > bytes_max => Some(Line::Endless),
        Some(_) => Some(Line::Cut(line)),
    })
}

/// The last lines of a program's log.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    /// Reads to the end, however much comes.
    pub(super) fn fill(&self, log: impl Read) {
        let mut log = BufReader::new(log);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut log).take(LOG_LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LOG_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
        }
    }

    /// What is kept.
    pub(super) fn last(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut input = bytes;
        let mut found = Vec::new();
        while let Some(line) = read(&mut input, 4).unwrap() {
            let is_last = line == Line::Endless;
            found.push(line);
            if is_last {
                break;
            }
        }
        found
    }

    #[test]
    fn a_line_has_a_bound() {
        let whole = |text: &[u8]| Line::Whole(text.to_vec());
        assert_eq!(lines(b"a\n\nbcd\n"), [whole(b"a"), whole(b""), whole(b"bcd")]);
        assert_eq!(lines(b"abcd\n"), [whole(b"abcd")]);
        assert_eq!(lines(b"abcd"), [Line::Cut(b"abcd".to_vec())]);
        assert_eq!(lines(b"abcde\n"), [Line::Endless]);
        assert_eq!(lines(b"a\nbcdefgh"), [whole(b"a"), Line::Endless]);
    }

    #[test]
    fn a_log_keeps_its_last_lines() {
        let log = Log::default();
        let text: String = (0..100).map(|number| format!("line {number}\n")).collect();
        log.fill(text.as_bytes());
        let last = log.last();
        assert_eq!((last.len(), last[0].as_str()), (64, "line 36"));
        log.fill(io::repeat(b'x').take(1 << 20));
        assert_eq!(log.last()[0].len(), 512);
    }
}
