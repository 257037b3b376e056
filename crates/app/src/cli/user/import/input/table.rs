//! CSV (RFC 4180).

use super::{Content, InputError, Record, Sink, metered::Metered, object};
use csv::{ByteRecord, ReaderBuilder, Terminator};
use std::io::Read;

/// What the reader of the table may be ahead of the row that it answers.
const BUFFER: usize = 8 * 1024;

/// `names` are those of the columns, by their places; without them the first row has them. If there are `known` names, there may be no others.
pub(super) fn read(
    reader: Metered<impl Read>,
    names: Option<&[&str]>,
    known: &[&str],
    longest: usize,
    sink: Sink<'_>,
) -> Result<(), InputError> {
    let meter = reader.meter();
    let mut table = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        // The other half of an end of line is cut off below: the reader would count it with the row after it.
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(BUFFER)
        .from_reader(reader);
    let mut done = 0;
    let mut next = || {
        meter.allow(Some((longest + BUFFER) as u64));
        let mut row = ByteRecord::new();
        loop {
            match table.read_byte_record(&mut row) {
                Ok(true) if row.as_slice() == b"\r" => {}
                Ok(true) => {
                    let end = table.position();
                    let bytes = end.byte() - done;
                    done = end.byte();
                    return Ok(Some((row, end.line(), bytes)));
                }
                Ok(false) => return Ok(None),
                Err(_) if meter.is_exceeded() => {
                    return Err(InputError::TooLong {
                        number: table.position().line(),
                        longest,
                    });
                }
                Err(error) => return Err(InputError::Io(error.into())),
            }
        }
    };
    let header: Vec<String> = match names {
        Some(names) => names.iter().map(|name| (*name).to_owned()).collect(),
        None => match next()? {
            Some((header, ..)) => header.iter().map(name).collect(),
            None => return Ok(()),
        },
    };
    let unknown = header.iter().find(|name| !known.contains(&name.as_str()));
    if let Some(unknown) = unknown.filter(|_| !known.is_empty()) {
        return Err(InputError::Column(unknown.clone()));
    }
    // Columns that are known by their places may be followed by others.
    let is_even = |row: &ByteRecord| match names {
        Some(names) => row.len() >= names.len(),
        None => row.len() == header.len(),
    };
    let mut row = next()?;
    while let Some((fields, next_line, bytes)) = row {
        row = next()?;
        let has_end = row.is_some() || meter.is_at_end_of_line();
        let within = fields.as_slice().iter().filter(|byte| **byte == b'\n');
        let number = next_line - within.count() as u64 - u64::from(has_end);
        let is_cut = fields.len() < header.len() && !has_end;
        if is_cut {
            return Err(InputError::Cut {
                unit: "line",
                number,
                byte: None,
            });
        }
        let content = if is_even(&fields) {
            content(&header, &fields)
        } else {
            Content::Uneven
        };
        let record = Record {
            number,
            content,
            bytes,
        };
        if !sink(record) {
            break;
        }
    }
    Ok(())
}

fn name(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim().to_owned()
}

/// Without the first half of the end of its line.
fn trimmed(row: &ByteRecord) -> impl Iterator<Item = &[u8]> {
    let last = row.len().saturating_sub(1);
    row.iter()
        .enumerate()
        .map(move |(place, field)| match field.strip_suffix(b"\r") {
            Some(trimmed) if place == last => trimmed,
            _ => field,
        })
}

fn content(header: &[String], row: &ByteRecord) -> Content {
    let fields: Result<Vec<&str>, _> = trimmed(row).map(std::str::from_utf8).collect();
    match fields {
        Ok(fields) => Content::Value(object(header.iter().map(String::as_str).zip(fields))),
        // Refused as a line would be.
        Err(_) => Content::Line(row.as_slice().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(
        text: &[u8],
        names: Option<&[&str]>,
        known: &[&str],
    ) -> (Vec<String>, Result<(), InputError>) {
        let mut rows = Vec::new();
        let mut sink = |record: Record| {
            let said = match record.content {
                Content::Value(value) => value.to_string(),
                Content::Uneven => "uneven".to_owned(),
                Content::Line(_) => "no text".to_owned(),
                Content::TooLong | Content::TooDeep => "too much".to_owned(),
            };
            rows.push(format!("{} {said}", record.number));
            true
        };
        let read = read(Metered::new(text), names, known, 100, &mut sink);
        (rows, read)
    }

    #[test]
    fn fields_are_named_by_the_first_row_or_by_their_places() {
        let text = b"email, name\r\nann@example.org,\"Ann \"\"B\"\"\r\nC\"\n\nbob@example.org,\n";
        let rows = [
            r#"2 {"email":"ann@example.org","name":"Ann \"B\"\r\nC"}"#,
            r#"5 {"email":"bob@example.org"}"#,
        ];
        assert_eq!(read_all(text, None, &[]).0, rows);
        assert!(read_all(text, None, &["email", "name"]).1.is_ok());
        let (none, read) = read_all(text, None, &["email"]);
        assert!(none.is_empty() && matches!(read, Err(InputError::Column(name)) if name == "name"));
        let placed = read_all(b"a,,c,,\nd,,f,,\n", Some(&["x", "", "z"]), &[]).0;
        assert_eq!(placed, [r#"1 {"x":"a","z":"c"}"#, r#"2 {"x":"d","z":"f"}"#]);
        assert!(read_all(b"", None, &["email"]).0.is_empty());
    }

    #[test]
    fn a_row_of_another_length_is_refused_and_a_last_one_without_an_end_is_cut_off() {
        let (rows, read) = read_all(b"a,b\n1,2\n3\n4,5,6\n7,\xff\n8,9", None, &[]);
        assert!(read.is_ok());
        let expected = [
            r#"2 {"a":"1","b":"2"}"#,
            "3 uneven",
            "4 uneven",
            "5 no text",
            r#"6 {"a":"8","b":"9"}"#,
        ];
        assert_eq!(rows, expected);
        for cut in [&b"a,b\n1,2\n3"[..], b"a,b\n1,2\n\"3\n4,5\n6,7"] {
            let (rows, read) = read_all(cut, None, &[]);
            assert_eq!(rows, expected[..1]);
            let error = read.unwrap_err();
            assert_eq!(error.to_string(), "it is cut off in line 3");
            assert_eq!(error.next(), Some(3));
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let text = format!("a,b\n1,2\n\"{}", "x\n".repeat(20_000));
        let (_, read) = read_all(text.as_bytes(), None, &[]);
        assert!(matches!(read, Err(InputError::TooLong { .. })), "{read:?}");
    }
}
