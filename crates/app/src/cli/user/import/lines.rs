//! The lines of a file or of standard input, read on a thread of their own, because reads from a terminal or a pipe block.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
    thread,
};
use tokio::sync::mpsc;

/// How many lines are read ahead.
const AHEAD: usize = 1024;

/// Where lines come from.
pub(super) struct Input {
    reader: Box<dyn BufRead + Send>,
    bytes: Option<u64>,
}

/// A line.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// Without its end; `None` if it is longer than anything that could be a row.
    pub(super) text: Option<Vec<u8>>,
    /// What it took of the file.
    pub(super) bytes: u64,
}

impl Line {
    /// The longest line in bytes: two URLs of the greatest length, in escapes, and the rest.
    pub(super) const MAX: usize = 64 * 1024;

    pub(super) fn is_blank(&self) -> bool {
        self.text
            .as_ref()
            .is_some_and(|text| text.trim_ascii().is_empty())
    }
}

impl Input {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self {
                reader: Box::new(BufReader::new(io::stdin())),
                bytes: None,
            });
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok(Self {
            bytes: about.is_file().then_some(about.len()),
            reader: Box::new(BufReader::new(file)),
        })
    }

    /// How many bytes there are, if that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// The lines; after an error there are no more.
    pub(super) fn lines(mut self) -> mpsc::Receiver<io::Result<Line>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        thread::spawn(move || {
            for number in 1.. {
                let line = read(&mut self.reader, number).transpose();
                // The receiver is gone, or this was the last line.
                let Some(line) = line else { return };
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        receiver
    }
}

/// Reads a line without ever holding more than the longest one.
fn read(input: &mut impl BufRead, number: u64) -> io::Result<Option<Line>> {
    let (mut text, mut bytes) = (Some(Vec::new()), 0);
    loop {
        let chunk = input.fill_buf()?;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        text = text.filter(|text| text.len() + part.len() <= Line::MAX);
        if let Some(text) = &mut text {
            text.extend_from_slice(part);
        }
        let (taken, over) = (part.len() + usize::from(end.is_some()), chunk.is_empty());
        input.consume(taken);
        bytes += taken as u64;
        if end.is_some() || over {
            let nothing = over && bytes == 0;
            return Ok((!nothing).then_some(Line {
                number,
                text,
                bytes,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_and_too_long_ones_are_not_kept() {
        let long = "x".repeat(Line::MAX + 1);
        let text = format!("one\n\n{long}\r\n{}\nlast", &long[1..]);
        let mut reader = BufReader::with_capacity(7, text.as_bytes());
        let lines: Vec<Line> = (1..)
            .map_while(|number| read(&mut reader, number).unwrap())
            .collect();
        let seen: Vec<_> = lines
            .iter()
            .map(|line| line.text.as_ref().map(Vec::len))
            .collect();
        assert_eq!(seen, [Some(3), Some(0), None, Some(Line::MAX), Some(4)]);
        assert_eq!(
            lines.iter().map(|line| line.bytes).sum::<u64>(),
            text.len() as u64
        );
        assert!(lines[1].is_blank() && !lines[2].is_blank());
    }
}
