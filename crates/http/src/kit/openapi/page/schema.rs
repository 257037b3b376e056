//! A schema as a table of members.

use super::{
    markup::{escape, inline},
    resolved, text,
};
use serde_json::Value;
use std::fmt::Write as _;

/// The members of an object as a table; nothing for anything else.
pub(super) fn table(document: &Value, schema: &Value) -> String {
    let mut rows = String::new();
    collect(document, schema, "", &mut rows);
    if rows.is_empty() {
        String::new()
    } else {
        format!("<table><tbody>{rows}</tbody></table>")
    }
}

fn collect(document: &Value, schema: &Value, prefix: &str, rows: &mut String) {
    let schema = resolved(document, schema);
    let required = |name: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|names| names.iter().any(|other| other == name))
    };
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let note = if required(name) {
            ""
        } else {
            " <i>optional</i>"
        };
        let meant = resolved(document, member);
        let about = if text(&member["description"]).is_empty() {
            text(&meant["description"])
        } else {
            text(&member["description"])
        };
        let name = format!("{prefix}{name}");
        let (shown, kind) = (escape(&name), kind(meant));
        let _ = write!(
            rows,
            "<tr><th><code>{shown}</code>{note}</th><td><span class=\"kind\">{kind}</span> {}</td></tr>",
            inline(about)
        );
        collect(document, meant, &format!("{name}."), rows);
        collect(document, &meant["items"], &format!("{name}[]."), rows);
    }
}

/// What a value may be, in words.
pub(super) fn kind(schema: &Value) -> String {
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let mut words = types.join(" or ");
    if let Some(format) = schema["format"]
        .as_str()
        .filter(|format| *format != "password")
    {
        words = words.replacen("string", format, 1);
    }
    match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
        (Some(least), Some(most)) => drop(write!(words, ", {least} to {most} characters")),
        (None, Some(most)) => drop(write!(words, ", at most {most} characters")),
        _ => {}
    }
    if let Some(values) = schema["enum"].as_array().filter(|values| values.len() < 6) {
        let values: Vec<String> = values
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect();
        let _ = write!(words, ": {}", values.join(", "));
    }
    if let Some(default) = schema["default"].as_str() {
        let _ = write!(words, "; without it {default}");
    }
    escape(&words)
}
