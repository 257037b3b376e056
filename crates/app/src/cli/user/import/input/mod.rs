//! The accounts of a file or of standard input, read on a thread of their own, because reads from a terminal or a pipe block. However large
//! the file is, only so many accounts are in memory.

mod document;
mod lines;
mod metered;
mod shallow;
mod table;

use super::format::{Format, Shape};
use metered::Metered;
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    thread,
};
use tokio::sync::mpsc;

/// How many accounts are read ahead.
const AHEAD: usize = 64;

/// Where accounts come from.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
    bytes: Option<u64>,
    format: Format,
    shape: Shape,
}

/// What there is of an account.
pub(super) struct Record {
    /// Counted from 1: its line, or, in a document, how many accounts there are up to it.
    pub(super) number: u64,
    pub(super) content: Content,
    /// What it took of the file.
    pub(super) bytes: u64,
}

pub(super) enum Content {
    /// A line, without its end.
    Line(Vec<u8>),
    /// An element of a document, or a row of a table by the names of its columns, without empty fields.
    Value(Value),
    /// It has more or fewer fields than there are columns.
    Uneven,
    /// It is longer than any account.
    TooLong,
    /// It is nested deeper than any account.
    TooDeep,
}

/// Nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("it can't be read")]
    Io(#[from] io::Error),
    /// What comes before was read.
    #[error("it is cut off in {unit} {number}{}", at(*.byte))]
    Cut {
        unit: &'static str,
        number: u64,
        byte: Option<u64>,
    },
    #[error(
        "it is no JSON document with accounts (byte {byte}, after {accounts} accounts): is it of another --format?"
    )]
    Document { byte: u64, accounts: u64 },
    #[error("account {number} is longer than {longest} bytes")]
    TooLong { number: u64, longest: usize },
    #[error(
        "the column `{0}` is not known: the first row has to name the members of an account; a table of another system needs its --format"
    )]
    Column(String),
}

impl InputError {
    /// Whether the file as such is another than was said.
    pub(super) fn is_of_the_file(&self) -> bool {
        matches!(self, Self::Document { .. } | Self::Column(_))
    }

    /// Where to go on with the whole file.
    pub(super) fn next(&self) -> Option<u64> {
        match self {
            Self::Cut { number, .. } => Some(*number),
            _ => None,
        }
    }
}

fn at(byte: Option<u64>) -> String {
    byte.map_or_else(String::new, |byte| format!(", at byte {byte}"))
}

/// Takes what was read; `false` if nobody wants more.
type Sink<'a> = &'a mut dyn FnMut(Record) -> bool;

impl Input {
    pub(super) fn open(path: &Path, format: Format) -> io::Result<Self> {
        let (reader, bytes): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path)?;
            let about = file.metadata()?;
            (Box::new(file), about.is_file().then_some(about.len()))
        };
        let mut reader = BufReader::new(reader);
        // What can't be read is told when it is read.
        let first = first(&mut reader).unwrap_or_default();
        Ok(Self {
            reader,
            bytes,
            format,
            shape: format.shape(first),
        })
    }

    /// How many bytes there are, if that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// What records are numbered by.
    pub(super) fn unit(&self) -> &'static str {
        match self.shape {
            Shape::Document => "account",
            _ => "line",
        }
    }

    /// The accounts; after an error there are no more.
    pub(super) fn records(self) -> mpsc::Receiver<Result<Record, InputError>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        thread::spawn(move || {
            let mut sink = |record| sender.blocking_send(Ok(record)).is_ok();
            if let Err(error) = self.read(&mut sink) {
                // Fails if nobody listens any more.
                drop(sender.blocking_send(Err(error)));
            }
        });
        receiver
    }

    fn read(self, sink: Sink<'_>) -> Result<(), InputError> {
        let (reader, longest) = (self.reader, self.format.longest());
        match self.shape {
            Shape::Lines => lines::read(reader, longest, sink),
            Shape::Document => {
                let of_realms = self.format == Format::Keycloak;
                document::read(Metered::new(reader), of_realms, longest, sink)
            }
            Shape::Table => {
                let known: &[&str] = match self.format {
                    Format::Csv => &super::systems::COLUMNS,
                    _ => &[],
                };
                table::read(Metered::new(reader), None, known, longest, sink)
            }
            Shape::Columns(names) => {
                table::read(Metered::new(reader), Some(names), &[], longest, sink)
            }
        }
    }
}

/// The first byte that is no blank, without consuming it; a byte order mark is left out.
fn first(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let chunk = reader.fill_buf()?;
    Ok(chunk
        .iter()
        .copied()
        .find(|byte| !byte.is_ascii_whitespace()))
}

/// An object out of the names and fields of a row.
fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let fields = fields.filter(|(name, text)| !name.is_empty() && !text.is_empty());
    let members: Map<_, _> = fields
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .collect();
    Value::Object(members)
}
