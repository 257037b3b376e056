//! Examples: values as they are sent, and requests as one types them.

use super::{super::operation::TOKEN_COOKIE, PageEntry, markup::escape, text};
use crate::ADMIN_BASE;
use serde_json::Value;

/// The media type of JSON.
const JSON: &str = "application/json";

/// A value as it stands in a body.
pub(super) fn body(value: &Value) -> String {
    let shown = value
        .as_str()
        .map_or_else(|| format!("{value:#}"), str::to_owned);
    format!("<pre tabindex=\"0\"><code>{}</code></pre>", escape(&shown))
}

/// The request as a command; `body` with its media type.
pub(super) fn command(entry: &PageEntry, body: Option<(&str, &Value)>) -> String {
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
    // Where each API is in the examples of the guides.
    let port = if path.starts_with(ADMIN_BASE) {
        8090
    } else {
        8080
    };
    command = format!("{command} http://localhost:{port}{path}");
    if let Some(Shown { variable, .. }) = shown(entry) {
        command = format!("{command} \\\n  -H \"Authorization: Bearer {variable}\"");
    }
    match body {
        Some((JSON, body)) => {
            let body = quoted(&body.to_string());
            command =
                format!("{command} \\\n  -H 'Content-Type: application/json' \\\n  -d {body}");
        }
        // curl's own media type is that of a form.
        Some((_, form)) => {
            for (name, value) in form.as_object().into_iter().flatten() {
                let field = quoted(&format!("{name}={}", text(value)));
                command = format!("{command} \\\n  --data-urlencode {field}");
            }
        }
        None => {}
    }
    format!(
        "<pre tabindex=\"0\"><code>{}</code></pre>",
        escape(&command)
    )
}

/// A word of a shell: a quote ends the quotes, stands for itself, and begins them again.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What a caller has to show.
pub(super) struct Shown {
    pub(super) name: &'static str,
    variable: &'static str,
}

const ID_TOKEN: Shown = Shown {
    name: "ID token",
    variable: "$ID_TOKEN",
};
const API_KEY: Shown = Shown {
    name: "API key",
    variable: "$API_KEY",
};

/// What there is no way without, if anything, but for what browsers add by themselves.
pub(super) fn shown(entry: &PageEntry) -> Option<Shown> {
    let ways = entry.said["security"].as_array()?;
    let of_scripts = || ways.iter().filter(|way| way.get(TOKEN_COOKIE).is_none());
    let all_have = |schemes: &[&str]| {
        let has_one = |way: &Value| schemes.iter().any(|scheme| way.get(scheme).is_some());
        of_scripts().all(has_one)
    };
    if all_have(&["idToken"]) {
        Some(ID_TOKEN)
    } else {
        all_have(&["apiKey", "apiKeyBasic"]).then_some(API_KEY)
    }
}
