//! `config/reference.toml`: every key with what it does, its default and its variable of the environment.

use super::{Key, Kind, SCHEMA_FILE, Section, known};
use serde_json::Value;
use std::fmt::Write;

/// Columns of a line.
const WIDTH: usize = 120;

/// The reference as text. Every key is commented out with its default, so that the file changes nothing.
pub fn reference() -> String {
    let mut text = format!(
        "#:schema ./{SCHEMA_FILE}\n\
         # Every key of the configuration. Made from the code by `revolve config reference`; don't change it by hand.\n\
         # Built-in defaults come first, then config/revolve.toml, then config/<profile>.toml, then the environment.\n\
         # Each key is here with its default, or with `…` if nothing is set; durations are written \"15m\", \"90s\", \"3days\".\n"
    );
    write_section(&mut text, known());
    text
}

fn write_section(text: &mut String, section: &Section) {
    if !section.path.is_empty() {
        text.push('\n');
        wrap(text, about_section(section));
        // Writing to a string does not fail.
        let _ = writeln!(text, "[{}]", section.path);
    }
    for key in &section.keys {
        text.push('\n');
        wrap(text, &key.about);
        if let Kind::Text { choices } = &key.kind {
            let described = choices.iter().filter(|(_, about)| !about.is_empty());
            described.for_each(|(choice, about)| wrap(text, &format!("{choice:?}: {about}")));
        }
        wrap(text, &facts(key));
        let value = key
            .default
            .as_ref()
            .or(key.example.as_ref())
            .map_or_else(|| "…".to_owned(), literal);
        let _ = writeln!(text, "# {} = {value}", key.name());
    }
    section
        .sections
        .iter()
        .for_each(|section| write_section(text, section));
}

/// The section's comment without its own name.
fn about_section(section: &Section) -> &str {
    let name = format!("`[{}]`", section.path);
    section
        .about
        .strip_prefix(&name)
        .unwrap_or(&section.about)
        .trim_start_matches([':', ' '])
}

fn facts(key: &Key) -> String {
    let kind = match &key.kind {
        Kind::Text { choices } if !choices.is_empty() => {
            let choices: Vec<String> = choices
                .iter()
                .map(|(choice, _)| format!("{choice:?}"))
                .collect();
            choices.join(" or ")
        }
        Kind::Text { .. } if key.secret => "Secret text".to_owned(),
        Kind::Text { .. } => "Text".to_owned(),
        Kind::Duration => "Duration".to_owned(),
        Kind::Integer { .. } => "Whole number".to_owned(),
        Kind::Number => "Number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::List => "List".to_owned(),
        Kind::Map => "Table".to_owned(),
    };
    let default = key.default.as_ref().map_or_else(
        || "not set by default".to_owned(),
        |value| format!("default {}", literal(value)),
    );
    let reload = if key.reloads {
        " Reloaded on SIGHUP."
    } else {
        ""
    };
    format!("{kind}; {default}. {}{reload}", key.variable())
}

/// A value as TOML writes it. JSON's texts, numbers and lists of them are TOML, too.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(literal).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(name, value)| format!("{} = {}", Value::from(name.as_str()), literal(value)))
                .collect();
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            }
        }
        other => other.to_string(),
    }
}

/// A comment of lines that are not too long.
fn wrap(text: &mut String, words: &str) {
    for paragraph in words.split("\n\n") {
        let mut line = String::from("#");
        for word in paragraph.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH && line.len() > 1 {
                text.push_str(&line);
                text.push('\n');
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        if line.len() > 1 {
            text.push_str(&line);
            text.push('\n');
        }
    }
}
