//! Examples: values as they are sent, and requests as one types them.

use super::{PageEntry, markup::escape, text};
use serde_json::Value;

/// A value as it stands in a body.
pub(super) fn body(value: &Value) -> String {
    let shown = value
        .as_str()
        .map_or_else(|| format!("{value:#}"), str::to_owned);
    format!("<pre tabindex=\"0\"><code>{}</code></pre>", escape(&shown))
}

/// The request as a command.
pub(super) fn command(entry: &PageEntry, body: Option<&Value>) -> String {
    let mut path = entry.path.clone();
    for parameter in entry.said["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "path")
    {
        path = path.replace(
            &format!("{{{}}}", text(&parameter["name"])),
            text(&parameter["example"]),
        );
    }
    let mut command = String::from("curl -i");
    if entry.method != if body.is_some() { "POST" } else { "GET" } {
        command = format!("{command} -X {}", entry.method);
    }
    command = format!("{command} http://localhost:8080{path}");
    if needs_token(entry) {
        command.push_str(" \\\n  -H \"Authorization: Bearer $ID_TOKEN\"");
    }
    if let Some(body) = body {
        // A quote ends the quotes, stands for itself, and begins them again.
        let body = body.to_string().replace('\'', r"'\''");
        command = format!("{command} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
    }
    format!(
        "<pre tabindex=\"0\"><code>{}</code></pre>",
        escape(&command)
    )
}

/// Whether there is no way without an ID token.
pub(super) fn needs_token(entry: &PageEntry) -> bool {
    entry.said["security"]
        .as_array()
        .is_some_and(|ways| ways.iter().all(|way| way.get("idToken").is_some()))
}
