//! What was probably meant.

use super::super::document::{Key, Kind, known, literal, variable};
use strsim::damerau_levenshtein;

/// What to say of a key or a section that there is not.
pub(super) fn unknown(path: &str, section: bool) -> String {
    if section {
        let meant = nearest(
            path,
            known()
                .all_sections()
                .into_iter()
                .map(|section| section.path.as_str())
                .filter(|path| !path.is_empty()),
        );
        return format!(
            "unknown section; {}",
            meant.map_or_else(reference, |path| format!("did you mean [{path}]?"))
        );
    }
    let (place, name) = split(path);
    let same_name: Vec<&Key> = known()
        .all()
        .into_iter()
        .filter(|key| key.name() == name)
        .collect();
    let here = nearest(
        path,
        known()
            .all()
            .into_iter()
            .map(|key| key.path.as_str())
            .filter(|known| split(known).0 == place),
    );
    let there = || {
        nearest(name, known().all().into_iter().map(Key::name))
            .and_then(|name| known().all().into_iter().find(|key| key.name() == name))
    };
    let hint = match (&same_name[..], here) {
        ([], Some(path)) => format!("did you mean `{}`?", split(path).1),
        ([], None) => there().map_or_else(reference, |key| format!("did you mean {}?", key.path)),
        (keys, _) => format!(
            "it belongs in {}",
            keys.iter()
                .map(|key| section_of(&key.path))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    };
    format!("unknown key; {hint}")
}

/// What to say of a variable that there is not.
pub(super) fn unknown_variable(path: &str) -> String {
    if let Some(section) = known()
        .all_sections()
        .into_iter()
        .find(|section| section.path == path)
    {
        let example = section
            .all()
            .first()
            .map(|key| key.variable())
            .unwrap_or_default();
        return format!("this is a section; set its keys one by one, such as {example}");
    }
    // Sections and keys are parted by two underscores, and one of them is easily lost.
    let squeezed = |path: &str| path.replace(['.', '_'], "");
    let same = known()
        .all()
        .into_iter()
        .find(|key| squeezed(&key.path) == squeezed(path))
        .map(|key| key.path.as_str());
    let meant =
        same.or_else(|| nearest(path, known().all().into_iter().map(|key| key.path.as_str())));
    let (_, name) = split(path);
    let elsewhere = || {
        known()
            .all()
            .into_iter()
            .find(|key| key.name() == name)
            .map(|key| key.path.as_str())
    };
    let meant = meant.or_else(elsewhere);
    format!(
        "unknown key; {}",
        meant.map_or_else(reference, |path| format!(
            "did you mean {}?",
            variable(path)
        ))
    )
}

/// What to say of a value that is of no use for the key.
pub(super) fn expected(key: &Key, text: Option<&str>, class: &str) -> Option<String> {
    Some(match &key.kind {
        Kind::Duration if text.is_some() => {
            "no duration; write numbers with their units (ms, s, m, h, days), such as \"90s\", \"15m\" or \"3days\"".to_owned()
        }
        Kind::Duration => format!("{class} found, expected a duration with its unit in quotes, such as \"90s\", \"15m\" or \"3days\""),
        Kind::Integer { least, most } => {
            let most = if *most >= i64::MAX.into() { " or more".to_owned() } else { format!(" to {most}") };
            let quoted = text.is_some_and(|text| text.parse::<i64>().is_ok());
            let hint = if quoted { "; leave out the quotes" } else { "" };
            let found = if class == "a number" { String::new() } else { format!("{class} found, ") };
            format!("{found}expected a whole number, {least}{most}{hint}")
        }
        Kind::Text { choices } if !choices.is_empty() => {
            let meant = text.and_then(|text| choice(text, choices));
            let meant = meant.map(|choice| format!("; did you mean \"{choice}\"?")).unwrap_or_default();
            let choices: Vec<String> = choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
            format!("expected {}{meant}", one_of(&choices))
        }
        Kind::Text { .. } if text.is_none() => format!("{class} found, expected a text in quotes"),
        Kind::Boolean => format!("{class} found, expected true or false{}", if text.is_some() { " without quotes" } else { "" }),
        // What is wrong with an entry, its type says.
        Kind::List if class == "a list" => return None,
        Kind::List => format!("{class} found, expected a list such as [\"…\", \"…\"]"),
        _ => return None,
    })
}

/// `; for example "127.0.0.1:8080"`
pub(super) fn example(key: &Key) -> String {
    key.example
        .as_ref()
        .or(key.default.as_ref())
        .filter(|value| value.as_array().is_none_or(|list| !list.is_empty()))
        .map(|value| format!("; for example {}", literal(value)))
        .unwrap_or_default()
}

/// What was meant begins in the same way: HS256 is near to ES256, and something else.
fn choice<'a>(text: &str, choices: &'a [(String, String)]) -> Option<&'a str> {
    let text = text.to_lowercase();
    let names = || choices.iter().map(|(choice, _)| choice.as_str());
    let start: String = text.chars().take(3).collect();
    let same_start =
        || names().find(|choice| start.len() == 3 && choice.to_lowercase().starts_with(&start));
    let near = nearest(&text, names())
        .filter(|choice| choice.to_lowercase().chars().next() == text.chars().next());
    near.or_else(same_start)
}

fn one_of(choices: &[String]) -> String {
    match choices {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => choices.join(", "),
    }
}

/// The nearest name, if it is near: every third letter may be wrong.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, nearest) = names
        .map(|known| {
            (
                damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .min()?;
    (distance <= (split(name).1.chars().count() / 3).max(1)).then_some(nearest)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

fn section_of(path: &str) -> String {
    match split(path).0 {
        "" => "the top of the file, before any section".to_owned(),
        section => format!("[{section}]"),
    }
}

fn reference() -> String {
    "`revolve config reference` lists all".to_owned()
}
