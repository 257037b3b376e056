//! One operation: what it takes, what it answers.

use super::{
    PageEntry, example,
    markup::{escape, inline, prose},
    resolved, schema, text,
};
use serde_json::Value;
use std::fmt::Write as _;

/// The operation as HTML.
pub(super) fn render(document: &Value, entry: &PageEntry) -> String {
    let PageEntry { method, path, said } = entry;
    let (id, summary) = (text(&said["operationId"]), escape(text(&said["summary"])));
    let mut html = format!("<article id=\"{id}\"><h3><a href=\"#{id}\">{summary}</a></h3>");
    let _ = write!(
        html,
        "<p class=\"route\"><b class=\"{method}\">{method}</b> <code>{}</code>",
        escape(path).replace('/', "<wbr>/")
    );
    if let Some(shown) = example::shown(entry) {
        let _ = write!(html, " <span class=\"needs\">{}</span>", shown.name);
    }
    let _ = write!(html, "</p>{}", prose(text(&said["description"])));
    html.push_str(&parameters(said));
    html.push_str(&request(document, entry));
    html.push_str("<h4>Answers</h4>");
    for (status, response) in said["responses"].as_object().into_iter().flatten() {
        html.push_str(&answer(document, status, resolved(document, response)));
    }
    html.push_str("</article>");
    html
}

fn parameters(said: &Value) -> String {
    let mut rows = String::new();
    for parameter in said["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (escape(text(&parameter["name"])), text(&parameter["in"]));
        let note = if parameter["required"] == true {
            ""
        } else {
            " <i>optional</i>"
        };
        let about = inline(text(&parameter["description"]));
        let kind = schema::kind(&parameter["schema"]);
        let _ = write!(
            rows,
            "<tr><th><code>{name}</code>{note}</th><td><span class=\"kind\">{place}, {kind}</span> {about}</td></tr>"
        );
    }
    if rows.is_empty() {
        rows
    } else {
        format!("<h4>Parameters</h4><table><tbody>{rows}</tbody></table>")
    }
}

fn request(document: &Value, entry: &PageEntry) -> String {
    let content = entry.said["requestBody"]["content"].as_object();
    let Some((media_type, content)) = content.and_then(|content| content.iter().next()) else {
        return format!("<h4>Request</h4>{}", example::command(entry, None));
    };
    let note = if entry.said["requestBody"]["required"] == true {
        ""
    } else {
        " <i>optional</i>"
    };
    let mut html = format!(
        "<h4>Request{note}</h4>{}",
        schema::table(document, &content["schema"])
    );
    for (at, shown) in content["examples"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, shown)| shown)
        .enumerate()
    {
        let (open, summary) = (
            if at == 0 { " open" } else { "" },
            escape(text(&shown["summary"])),
        );
        let _ = write!(
            html,
            "<details{open}><summary>{summary}</summary>{}</details>",
            example::command(entry, Some((media_type, &shown["value"])))
        );
    }
    html
}

fn answer(document: &Value, status: &str, response: &Value) -> String {
    let mut html = format!(
        "<details class=\"answer s{}\"><summary><b>{status}</b> {}</summary>",
        &status[..1],
        inline(text(&response["description"]))
    );
    let mut rows = String::new();
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let (name, note) = (
            escape(name),
            if header["required"] == true {
                ""
            } else {
                " <i>not always</i>"
            },
        );
        let (about, shown) = (
            inline(text(&header["description"])),
            escape(text(&header["example"])),
        );
        let _ = write!(
            rows,
            "<tr><th><code>{name}</code>{note}</th><td>{about} <code class=\"value\">{shown}</code></td></tr>"
        );
    }
    if !rows.is_empty() {
        let _ = write!(html, "<table><tbody>{rows}</tbody></table>");
    }
    for (media_type, content) in response["content"].as_object().into_iter().flatten() {
        let _ = write!(
            html,
            "<p class=\"media\"><code>{}</code></p>{}",
            escape(media_type),
            schema::table(document, &content["schema"])
        );
        for shown in content["examples"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, shown)| shown)
        {
            let _ = write!(
                html,
                "<p class=\"shown\">{}</p>{}",
                inline(text(&shown["summary"])),
                example::body(&shown["value"])
            );
        }
    }
    html.push_str("</details>");
    html
}
