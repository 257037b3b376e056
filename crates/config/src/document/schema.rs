//! The JSON Schema of the configuration (draft 7, which editors of TOML read).

use super::super::Config;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The JSON Schema.
pub(crate) fn value() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<Config>());
    tidy(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), "The configuration of Revolve".into());
    }
    schema
}

/// The JSON Schema as text.
///
/// # Errors
/// Never, for a schema is JSON.
pub fn schema() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&value())? + "\n")
}

/// TOML has no null: what need not be there is left out. Sizes of machine words say nothing to an editor.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, value| !(name == "default" && value.is_null()));
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            unwrap_option(object);
            object.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// `anyOf: [X, null]` is X.
fn unwrap_option(object: &mut Map<String, Value>) {
    let Some(Value::Array(options)) = object.get_mut("anyOf") else {
        return;
    };
    options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = &mut options[..] {
        let only = std::mem::take(only);
        object.remove("anyOf");
        for (name, value) in only {
            object.entry(name).or_insert(value);
        }
    }
}
