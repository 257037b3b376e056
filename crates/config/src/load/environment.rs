//! Variables of the environment: `REVOLVE__TOKENS__ISSUER` is `tokens.issuer`.

use super::{super::document, Gathered, Given, Mistake, Origin, hints, value::Value};
use document::known;
use std::ffi::OsString;

const PREFIX: &str = "REVOLVE__";

/// Name and value.
pub(super) type Variable = (OsString, OsString);

impl Gathered {
    /// Reads what begins with `REVOLVE__`.
    pub(super) fn environment(&mut self, variables: impl Iterator<Item = Variable>) {
        let named = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut ours: Vec<(String, OsString)> =
            named.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        ours.sort();
        for (variable, value) in ours {
            let path = variable[PREFIX.len()..].to_lowercase().replace("__", ".");
            match variable_value(&path, value) {
                Ok(value) => {
                    self.given.insert(
                        path,
                        Given {
                            value,
                            origin: Origin::Environment { variable },
                        },
                    );
                }
                Err(message) => self.mistakes.push(Mistake::new(
                    Some(Origin::Environment { variable }),
                    path,
                    message,
                )),
            }
        }
    }
}

fn variable_value(path: &str, value: OsString) -> Result<Value, String> {
    let Some(key) = known().key(path) else {
        return Err(hints::unknown_variable(path));
    };
    let value = value
        .into_string()
        .map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(Value::from_variable(&value, &key.kind))
}
