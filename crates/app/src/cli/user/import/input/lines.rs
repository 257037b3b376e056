//! Lines.

use super::{Content, InputError, Record, Sink};
use serde::de::IgnoredAny;
use std::io::{self, BufRead};

/// A line.
struct Line {
    /// Without its end; `None` if it is longer than anything that could be an account.
    text: Option<Vec<u8>>,
    /// What it took of the file.
    bytes: u64,
    /// Whether it has an end.
    is_ended: bool,
}

/// Empty lines are no accounts.
pub(super) fn read(
    mut reader: impl BufRead,
    longest: usize,
    sink: Sink<'_>,
) -> Result<(), InputError> {
    for number in 1.. {
        let Some(line) = next(&mut reader, longest)? else {
            break;
        };
        let content = match line.text {
            None => Content::TooLong,
            Some(text) if text.trim_ascii().is_empty() => continue,
            Some(text) if !line.is_ended && is_cut(&text) => {
                return Err(InputError::Cut {
                    unit: "line",
                    number,
                    byte: None,
                });
            }
            Some(text) => Content::Line(text),
        };
        let record = Record {
            number,
            content,
            bytes: line.bytes,
        };
        if !sink(record) {
            break;
        }
    }
    Ok(())
}

/// Whether it is the beginning of a JSON object, and no more.
fn is_cut(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let parsed = serde_json::from_slice::<IgnoredAny>(text);
    text.starts_with(b"{") && parsed.is_err_and(|error| error.is_eof())
}

/// Reads a line without ever holding more than the longest one.
fn next(input: &mut impl BufRead, longest: usize) -> io::Result<Option<Line>> {
    let (mut text, mut bytes) = (Some(Vec::new()), 0);
    loop {
        let chunk = input.fill_buf()?;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        text = text.filter(|text| text.len() + part.len() <= longest);
        if let Some(text) = &mut text {
            text.extend_from_slice(part);
        }
        let (taken, over) = (part.len() + usize::from(end.is_some()), chunk.is_empty());
        input.consume(taken);
        bytes += taken as u64;
        if end.is_some() || over {
            let nothing = over && bytes == 0;
            return Ok((!nothing).then_some(Line {
                text,
                bytes,
                is_ended: end.is_some(),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Number, length of the text if it was kept, and bytes so far.
    type ReadLine = (u64, Option<usize>, u64);

    fn read_all(text: &str) -> (Vec<ReadLine>, Result<(), InputError>) {
        let mut lines = Vec::new();
        let mut sink = |record: Record| {
            let length = match record.content {
                Content::Line(text) => Some(text.len()),
                _ => None,
            };
            lines.push((record.number, length, record.bytes));
            true
        };
        let reader = BufReader::with_capacity(7, text.as_bytes());
        let read = read(reader, 100, &mut sink);
        (lines, read)
    }

    #[test]
    fn lines_are_read_whole_and_too_long_ones_are_not_kept() {
        let long = "x".repeat(101);
        let text = format!("one\n\n{long}\r\n{}\nlast", &long[1..]);
        let (lines, read) = read_all(&text);
        assert!(read.is_ok());
        let expected = [
            (1, Some(3), 4),
            (3, None, 103),
            (4, Some(100), 101),
            (5, Some(4), 4),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_last_line_that_is_no_whole_object_is_cut_off() {
        let whole = "{\"a\":1}\n{\"b\":{\"c\":\"d\"}}";
        for length in 9..whole.len() {
            let (lines, read) = read_all(&whole[..length]);
            assert_eq!(lines.len(), 1, "{length}");
            let error = read.unwrap_err();
            assert_eq!(error.to_string(), "it is cut off in line 2");
            assert_eq!(error.next(), Some(2));
        }
        for fine in [whole, &format!("{whole}\n"), "{\"a\":1}\n{\"b\"\n", "plain"] {
            assert!(read_all(fine).1.is_ok(), "{fine}");
        }
    }
}
