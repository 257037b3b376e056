//! The keys and sections that there are, in the order of the types.

use super::{super::human, schema};
use serde_json::Value;
use std::sync::LazyLock;

/// A section: keys, and sections in it. The root has no name.
pub(crate) struct Section {
    pub(crate) path: String,
    /// What it is for.
    pub(crate) about: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) sections: Vec<Self>,
}

/// A key.
pub(crate) struct Key {
    /// With its sections: `tokens.issuer`.
    pub(crate) path: String,
    /// The doc comment.
    pub(crate) about: String,
    pub(crate) kind: Kind,
    /// What holds if nothing is said.
    pub(crate) default: Option<Value>,
    /// A value that shows how it is written.
    pub(crate) example: Option<Value>,
    /// Its value is never shown.
    pub(crate) secret: bool,
    /// SIGHUP is enough.
    pub(crate) reloads: bool,
}

/// What a key takes.
pub(crate) enum Kind {
    /// Any text, or one of the choices, each with what it is for.
    Text {
        choices: Vec<(String, String)>,
    },
    Duration,
    Integer {
        least: i128,
        most: i128,
    },
    Number,
    Boolean,
    List,
    Map,
}

/// Everything that can be configured.
pub(crate) fn known() -> &'static Section {
    static KNOWN: LazyLock<Section> = LazyLock::new(|| section(String::new(), &schema::value()));
    &KNOWN
}

impl Section {
    /// All keys, those of inner sections included.
    pub(crate) fn all(&self) -> Vec<&Key> {
        self.keys
            .iter()
            .chain(self.sections.iter().flat_map(Self::all))
            .collect()
    }

    /// All sections, this one first.
    pub(crate) fn all_sections(&self) -> Vec<&Self> {
        std::iter::once(self)
            .chain(self.sections.iter().flat_map(Self::all_sections))
            .collect()
    }

    pub(crate) fn key(&self, path: &str) -> Option<&Key> {
        self.all().into_iter().find(|key| key.path == path)
    }
}

impl Key {
    /// Without its sections.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        variable(&self.path)
    }
}

/// `REVOLVE__TOKENS__ISSUER`
pub(crate) fn variable(path: &str) -> String {
    format!("REVOLVE__{}", path.to_uppercase().replace('.', "__"))
}

fn section(path: String, schema: &Value) -> Section {
    let inner = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    let (mut keys, mut sections) = (Vec::new(), Vec::new());
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if schema.get("properties").is_some() {
            sections.push(section(inner(name), schema));
        } else {
            keys.push(key(inner(name), schema));
        }
    }
    Section {
        about: about(schema),
        path,
        keys,
        sections,
    }
}

fn key(path: String, schema: &Value) -> Key {
    Key {
        about: about(schema),
        kind: kind(schema),
        default: schema.get("default").cloned(),
        example: schema["examples"].get(0).cloned(),
        secret: schema["writeOnly"] == true,
        reloads: schema["x-reload"] == true,
        path,
    }
}

fn about(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn kind(schema: &Value) -> Kind {
    if schema[human::KIND] == human::DURATION {
        return Kind::Duration;
    }
    match schema["type"].as_str() {
        Some("integer") => {
            let (least, most) = range(schema["format"].as_str().unwrap_or_default());
            let bound = |name: &str, limit: i128| schema[name].as_i64().map_or(limit, i128::from);
            Kind::Integer {
                least: bound("minimum", least),
                most: bound("maximum", most),
            }
        }
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("array") => Kind::List,
        Some("object") => Kind::Map,
        _ => Kind::Text {
            choices: choices(schema),
        },
    }
}

/// An enum whose variants have comments is a list of constants.
fn choices(schema: &Value) -> Vec<(String, String)> {
    let plain = |choices: &Value| -> Vec<(String, String)> {
        choices
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|choice| (choice.to_owned(), String::new()))
            .collect()
    };
    let described =
        schema["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|option| match option["const"].as_str() {
                Some(choice) => vec![(choice.to_owned(), about(option))],
                None => plain(&option["enum"]),
            });
    described.chain(plain(&schema["enum"])).collect()
}

/// What a machine word holds.
fn range(format: &str) -> (i128, i128) {
    match format {
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int" | "int64" => (i64::MIN.into(), i64::MAX.into()),
        // TOML's own numbers end there.
        _ => (0, i64::MAX.into()),
    }
}
