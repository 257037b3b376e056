//! Text to HTML.

/// A text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A line with `code` in it; descriptions use no other mark.
pub(super) fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }).collect()
}

/// Paragraphs.
pub(super) fn prose(text: &str) -> String {
    text.split("\n\n").filter(|paragraph| !paragraph.is_empty()).map(|paragraph| format!("<p>{}</p>", inline(paragraph))).collect()
}
