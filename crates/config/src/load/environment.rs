//! Variables of the environment: `REVOLVE__TOKENS__ISSUER` is `tokens.issuer`. An empty variable is an absent one.

use super::{super::document, Gathered, Given, Mistake, Origin, hints, value::Value};
use document::known;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
};

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
            if known().key(&path).is_some() && is_blank(&value) {
                self.empty.insert(path, variable);
                continue;
            }
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

    /// Reads `DATABASE_URL` and `REDIS_URL` where nothing says where a store is, and `PORT` where no variable of ours says where to
    /// listen: the address is that of the files, or any.
    pub(super) fn platform(&mut self, variables: impl Iterator<Item = Variable>) {
        let given: BTreeMap<String, String> = variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        for (variable, path) in PLATFORM {
            let said = [path.to_owned(), format!("{path}_file")]
                .iter()
                .any(|path| self.given.contains_key(path));
            if let (Some(value), false) = (given.get(variable), said) {
                self.give(path, Value::Text(value.trim().to_owned()), variable);
            }
        }
        let listen = self.given.get(LISTEN);
        let ours = listen.is_some_and(|given| matches!(given.origin, Origin::Environment { .. }));
        let Some(port) = given.get(PORT).filter(|_| !ours) else {
            return;
        };
        let Ok(port) = port.trim().parse::<u16>() else {
            self.mistakes.push(Mistake::new(
                Some(environment(PORT)),
                LISTEN,
                "no port; write a number from 0 to 65535, or set REVOLVE__HTTP__LISTEN",
            ));
            return;
        };
        let address = match listen.map(|given| &given.value) {
            Some(Value::Text(text)) => text.parse().ok(),
            _ => Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        };
        // An address that is none is named where it stands.
        if let Some(mut address) = address {
            address.set_port(port);
            self.give(LISTEN, Value::Text(address.to_string()), PORT);
        }
    }

    fn give(&mut self, path: &str, value: Value, variable: &str) {
        let origin = environment(variable);
        self.given.insert(path.to_owned(), Given { value, origin });
    }
}

fn environment(variable: &str) -> Origin {
    Origin::Environment {
        variable: variable.to_owned(),
    }
}

/// What hosted platforms set, and the key that it stands for.
const PLATFORM: [(&str, &str); 2] = [("DATABASE_URL", "postgres.url"), ("REDIS_URL", "redis.url")];
/// The port to listen on.
const PORT: &str = "PORT";
const LISTEN: &str = "http.listen";

/// Compose files and shells make a variable that has no value an empty one.
fn is_blank(value: &OsString) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
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
