//! A file in TOML, as keys with their lines.

use super::{super::document, Gathered, Given, Mistake, Origin, hints, value::Value};
use document::{Kind, Section, known};
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

impl Gathered {
    /// Reads a file. One that need not be there may be missing, but not unreadable.
    pub(super) fn file(&mut self, file: &Path, required: bool) {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                self.text(file, &text);
                self.files.push(file.to_owned());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {}
            Err(error) => {
                self.incomplete = true;
                self.mistakes.push(Mistake::new(
                    None,
                    "",
                    format!("{}: can't be read: {error}", file.display()),
                ));
            }
        }
    }

    /// Reads a text. What is not TOML in it is said once for each line, and the rest is read all the same.
    pub(super) fn text(&mut self, file: &Path, text: &str) {
        let line = |at: usize| {
            text.as_bytes()
                .iter()
                .take(at)
                .filter(|byte| **byte == b'\n')
                .count()
                + 1
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut bad_lines = Vec::new();
        for error in errors {
            let line = error.span().map_or(1, |span| line(span.start));
            if !bad_lines.contains(&line) {
                let message = format!("no TOML: {}", error.message().replace('\n', ", "));
                self.mistakes.push(Mistake::new(
                    Some(Origin::File {
                        file: file.to_owned(),
                        line,
                    }),
                    "",
                    message,
                ));
                bad_lines.push(line);
            }
        }
        self.incomplete |= !bad_lines.is_empty();
        let place = |at: usize| {
            Some(Origin::File {
                file: file.to_owned(),
                line: line(at),
            })
        };
        let mut reader = Reader {
            gathered: self,
            place: &place,
            bad: &|at| bad_lines.contains(&line(at)),
        };
        reader.section(known(), table.get_ref());
    }
}

struct Reader<'a> {
    gathered: &'a mut Gathered,
    place: &'a dyn Fn(usize) -> Option<Origin>,
    bad: &'a dyn Fn(usize) -> bool,
}

impl Reader<'_> {
    fn section(&mut self, section: &Section, table: &DeTable<'_>) {
        for (name, value) in table {
            let at = name.span().start;
            if !(self.bad)(at) && !(self.bad)(value.span().start) {
                self.entry(section, name.get_ref(), at, value);
            }
        }
    }

    fn entry(&mut self, section: &Section, name: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let path = if section.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", section.path)
        };
        let inner = section.sections.iter().find(|section| section.path == path);
        match (inner, value.get_ref()) {
            (Some(inner), DeValue::Table(table)) => self.section(inner, table),
            (Some(inner), _) => {
                let message = format!(
                    "this is a section: write [{}], and its keys below",
                    inner.path
                );
                self.gathered
                    .mistakes
                    .push(Mistake::new((self.place)(at), path, message));
            }
            (None, value) => {
                if let Some(key) = section.keys.iter().find(|key| key.path == path) {
                    let value = match Value::from_toml(value) {
                        // A list of one, as it is written in a variable.
                        Value::Text(text) if matches!(key.kind, Kind::List) => {
                            Value::from_variable(&text, &key.kind)
                        }
                        value => value,
                    };
                    if let Some(origin) = (self.place)(at) {
                        self.gathered.given.insert(path, Given { value, origin });
                    }
                    return;
                }
                let message = hints::unknown(&path, matches!(value, DeValue::Table(_)));
                self.gathered
                    .mistakes
                    .push(Mistake::new((self.place)(at), path, message));
            }
        }
    }
}
