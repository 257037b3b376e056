//! Examples: values as they are sent, and requests as one types them.

use super::{super::operation::TOKEN_COOKIE, PageEntry, markup::escape, text};
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
    let shown = shown(entry);
    let port = shown.as_ref().map_or(8080, |shown| shown.port);
    command = format!("{command} http://localhost:{port}{path}");
    if let Some(Shown { variable, .. }) = shown {
        command = format!("{command} \\\n  -H \"Authorization: Bearer {variable}\"");
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

/// What a caller has to show.
pub(super) struct Shown {
    pub(super) name: &'static str,
    variable: &'static str,
    /// Where the API is that asks for it.
    port: u16,
}

const ID_TOKEN: Shown = Shown {
    name: "ID token",
    variable: "$ID_TOKEN",
    port: 8080,
};
const API_KEY: Shown = Shown {
    name: "API key",
    variable: "$API_KEY",
    port: 8090,
};

/// What there is no way without, if anything, but for what browsers add by themselves.
pub(super) fn shown(entry: &PageEntry) -> Option<Shown> {
    let ways = entry.said["security"].as_array()?;
    let of_scripts = || ways.iter().filter(|way| way.get(TOKEN_COOKIE).is_none());
    let all_have = |scheme| of_scripts().all(|way| way.get(scheme).is_some());
    if all_have("idToken") {
        Some(ID_TOKEN)
    } else {
        all_have("apiKey").then_some(API_KEY)
    }
}
