//! Tries a key by itself, in a configuration where everything else has its default.

use super::{
    super::{
        Config,
        document::{Kind, known},
    },
    Given, Mistake, hints,
    value::{Value, ValueError},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is wrong with the value, if anything is.
pub(super) fn examine(path: &str, given: &Given) -> Option<(String, Mistake)> {
    let mut alone = Value::Table(BTreeMap::new());
    alone.put(path, given.value.clone());
    let key = known().key(path)?;
    let text = if let Value::Text(text) = &given.value {
        Some(text.as_str())
    } else {
        None
    };
    let class = given.value.class();
    let fault = match Config::deserialize(alone) {
        // What else the section needs is seen when all is together.
        Err(ValueError::Missing(_)) => return None,
        // A text whose choices only the schema knows.
        Ok(_) if is_choice(&key.kind, text) => return None,
        Ok(_) => ValueError::Expected("one of the choices".to_owned()),
        Err(fault) => fault,
    };
    let message = hints::expected(key, text, class).unwrap_or_else(|| match fault {
        ValueError::Words(words) => format!("{}{}", without(&words, text), hints::example(key)),
        ValueError::Expected(what) if matches!(key.kind, Kind::Text { .. }) => {
            format!("expected {what}{}", hints::example(key))
        }
        fault => format!("{class} found, {fault}{}", hints::example(key)),
    });
    Some((
        path.to_owned(),
        Mistake::new(Some(given.origin.clone()), path, message),
    ))
}

fn is_choice(kind: &Kind, text: Option<&str>) -> bool {
    let Kind::Text { choices } = kind else {
        return true;
    };
    choices.is_empty()
        || choices
            .iter()
            .any(|(choice, _)| Some(choice.as_str()) == text)
}

/// The words without the value, which may be a secret in the wrong place.
fn without(words: &str, text: Option<&str>) -> String {
    match text {
        Some(text) if text.len() > 3 => words.replace(text, "…"),
        _ => words.to_owned(),
    }
}
