//! The documents are those of the types: fresh, whole, and without a default that is not one.

use super::{super::Config, *};
use serde_json::Value;
use std::{fs, path::PathBuf, time::Duration};

fn folder(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Writes the file if `REVOLVE_UPDATE` is set, and fails if it was not what it should be otherwise.
#[track_caller]
fn fresh(name: &str, text: &str) {
    let file = folder("../../config").join(name);
    if std::env::var_os("REVOLVE_UPDATE").is_some() {
        fs::write(&file, text).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let hint = "run: REVOLVE_UPDATE=1 cargo nextest run -p revolve-config -E 'test(document)'";
    assert!(
        there == text,
        "config/{name} is not what the code says; {hint}"
    );
}

#[test]
fn the_reference_is_fresh() {
    fresh("reference.toml", &reference());
}

#[test]
fn the_schema_is_fresh() {
    fresh(SCHEMA_FILE, &schema().unwrap());
}

/// A section's file begins with its name, `[tokens]`; what is not in [`Config`] would be in no document.
#[test]
fn every_file_of_a_section_is_in_the_configuration() {
    let sections: Vec<&str> = known()
        .all_sections()
        .into_iter()
        .map(|section| section.path.as_str())
        .collect();
    let mut files = 0;
    for file in fs::read_dir(folder("src/sections"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let text = fs::read_to_string(&file).unwrap();
        if let Some((name, _)) = text
            .strip_prefix("//! `[")
            .and_then(|rest| rest.split_once("]`"))
        {
            assert!(
                sections.contains(&name),
                "[{name}] has a file, but Config has no member for it"
            );
            files += 1;
        }
        // A file that forgets to name its section is found by its type.
        let section = text
            .lines()
            .find_map(|line| line.strip_prefix("/// `[")?.strip_suffix("]`"));
        assert!(
            section.is_none_or(|name| sections.contains(&name)),
            "{}: {section:?} is not in Config",
            file.display()
        );
    }
    assert!(
        files
            >= sections
                .iter()
                .filter(|path| !path.is_empty() && !path.contains('.'))
                .count(),
        "a section has no file of its own"
    );
}

#[test]
fn every_key_and_section_is_explained() {
    let silent: Vec<&str> = known()
        .all()
        .into_iter()
        .filter(|key| key.about.is_empty())
        .map(|key| key.path.as_str())
        .collect();
    assert!(silent.is_empty(), "these have no doc comment: {silent:?}");
    assert!(
        known()
            .all_sections()
            .into_iter()
            .all(|section| section.path.is_empty() || !section.about.is_empty())
    );
}

/// Only what has no value by default may come without one: a type without `Serialize` would hide it.
#[test]
fn every_default_is_known() {
    let settings = schemars::generate::SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true);
    let mut all = Vec::new();
    leaves(
        String::new(),
        &Value::from(settings.into_generator().into_root_schema_for::<Config>()),
        &mut all,
    );
    assert_eq!(all.len(), known().all().len());
    for (path, schema) in all {
        assert!(
            schema.get("default").is_some() || schema["writeOnly"] == true,
            "{path}: its type must be Serialize, so that its default is known"
        );
    }
}

fn leaves(path: String, schema: &Value, all: &mut Vec<(String, Value)>) {
    match schema["properties"].as_object() {
        Some(properties) => properties
            .iter()
            .for_each(|(name, schema)| leaves(format!("{path}.{name}"), schema, all)),
        None => all.push((path, schema.clone())),
    }
}

#[test]
fn the_reference_says_what_holds_without_it() {
    let uncommented = uncomment(&reference());
    let config =
        Config::from_toml(&uncommented).unwrap_or_else(|error| panic!("{error}\n{uncommented}"));
    assert_eq!(format!("{config:#?}"), format!("{:#?}", Config::default()));
    assert!(uncommented.matches('=').count() > 25, "{uncommented}");
}

#[test]
fn the_other_files_name_only_keys_that_there_are() {
    for name in ["revolve.toml", "embedded.toml", "server.toml"] {
        let text = fs::read_to_string(folder("../../config").join(name)).unwrap();
        let errors = Config::from_toml(&uncomment(&text))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        let unknown: Vec<&str> = errors
            .lines()
            .filter(|line| line.contains("unknown") || line.contains("no TOML"))
            .collect();
        assert!(unknown.is_empty(), "config/{name}: {unknown:#?}");
    }
}

/// Keys without a default show an example there.
#[test]
fn the_common_file_shows_the_defaults() {
    let text = fs::read_to_string(folder("../../config").join("revolve.toml")).unwrap();
    let default = format!("{:#?}", Config::default());
    let (mut section, mut shown) = ("", Vec::new());
    let uncommented = uncomment(&text);
    for line in uncommented.lines() {
        if let Some((name, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            section = name;
        }
        let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let path = [section, name].join(".");
        let path = path.trim_start_matches('.');
        let key = known()
            .key(path)
            .unwrap_or_else(|| panic!("{path} is no key"));
        let has_default = key
            .default
            .as_ref()
            .is_some_and(|value| !value.is_null() && *value != Value::Array(Vec::new()));
        if has_default {
            let header = if section.is_empty() {
                String::new()
            } else {
                format!("[{section}]\n")
            };
            let config =
                Config::from_toml(&(header + line)).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("{config:#?}"), default, "{path}: {line}");
        }
        shown.push(path.to_owned());
    }
    let hidden: Vec<&str> = known()
        .all()
        .into_iter()
        .map(|key| key.path.as_str())
        .filter(|path| path.starts_with("limits.") && !shown.iter().any(|shown| shown == path))
        .collect();
    assert!(
        hidden.is_empty(),
        "limits that it does not show: {hidden:?}"
    );
}

/// The lines that set a key, without their mark.
fn uncomment(text: &str) -> String {
    let key = |line: &str| {
        line.split_once(" = ")
            .is_some_and(|(name, value)| !name.contains(' ') && !value.starts_with('…'))
    };
    // The value of what is not set by default is an example.
    let mut is_set = true;
    let lines = text.lines().map(|line| {
        let value = line.strip_prefix("# ").filter(|line| key(line) && is_set);
        is_set = !line.contains("; not set by default.");
        value.unwrap_or(line)
    });
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// Whatever `Debug` hides is a secret, and nothing else is.
#[test]
fn secrets_are_known_as_such() {
    let mut secrets = 0;
    for key in known().all() {
        let text = format!("{} = 'canary'", key.path);
        let Ok(config) = Config::from_toml(&text) else {
            continue;
        };
        assert_eq!(
            key.secret,
            !format!("{config:?}").contains("canary"),
            "{}: mark it with #[schemars(with = \"Hidden\")]",
            key.path
        );
        secrets += usize::from(key.secret);
    }
    assert!(secrets >= 1, "a secret is a text like any other");
    let unmarked: Vec<&str> = [
        "secrets.master_key",
        "tokens.signing_key",
        "redis.url",
        "postgres.url",
    ]
    .into_iter()
    .filter(|path| !known().key(path).is_some_and(|key| key.secret))
    .collect();
    assert!(unmarked.is_empty(), "{unmarked:?}");
}

#[test]
fn no_comment_states_another_default() {
    let wrong: Vec<String> = known().all().into_iter().flat_map(contradictions).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_comment_that_states_another_default_is_found() {
    let key = |about: &str, kind, default: Option<Value>| {
        let (path, about) = ("a.key".to_owned(), about.to_owned());
        usize::from(
            !contradictions(&Key {
                path,
                about,
                kind,
                default,
                example: None,
                secret: false,
                reloads: false,
            })
            .is_empty(),
        )
    };
    let number = || Kind::Integer { least: 0, most: 10 };
    let text = || Kind::Text {
        choices: Vec::new(),
    };
    assert_eq!(
        key("Life of it; 15 min.", Kind::Duration, Some("15m".into())),
        0
    );
    assert_eq!(
        key(
            "Life of it; 15 min. More.",
            Kind::Duration,
            Some("16m".into())
        ),
        1
    );
    assert_eq!(
        key(
            "Life of it, 10 min by default; and more.",
            Kind::Duration,
            Some("16m".into())
        ),
        1
    );
    assert_eq!(
        key(
            "Life of it. Default: 16 min.",
            Kind::Duration,
            Some("16m".into())
        ),
        0
    );
    assert_eq!(
        key("Life of it; none.", Kind::Duration, Some("16m".into())),
        1
    );
    assert_eq!(
        key(
            "Which ones. None by default.",
            Kind::List,
            Some(Value::Array(Vec::new()))
        ),
        0
    );
    assert_eq!(
        key("How many; default 3, at least 1.", number(), Some(4.into())),
        1
    );
    assert_eq!(key("How many; 4 of them.", number(), Some(4.into())), 0);
    assert_eq!(
        key("How many; default 1000 KiB.", number(), Some(1000.into())),
        0
    );
    assert_eq!(key("What; `data` below.", text(), Some("data".into())), 0);
    assert_eq!(key("What; default `data`.", text(), Some("date".into())), 1);
    assert_eq!(
        key(
            "Where; 127.0.0.1:8080. Port 0 takes any.",
            text(),
            Some("127.0.0.1:80".into())
        ),
        1
    );
    assert_eq!(
        key(
            "A claim; if it is https, cookies are better.",
            text(),
            Some("x".into())
        ),
        0
    );
}

/// What the comment says of the default that is not so: after the first sentence's last semicolon, or beside the word.
fn contradictions(key: &Key) -> Vec<String> {
    let about = key.about.replace('\n', " ");
    let first = about
        .split_once(". ")
        .map_or(about.as_str(), |(first, _)| first);
    let mut stated: Vec<&str> = first
        .rsplit_once("; ")
        .into_iter()
        .map(|(_, stated)| stated)
        .collect();
    let lower = about.to_lowercase();
    for (at, word) in lower.match_indices("default") {
        stated.push(
            about[at + word.len()..]
                .trim_start_matches(['s', ':', ' '])
                .trim_start_matches("is "),
        );
        // `…, 10 min by default`
        let before = about[..at].strip_suffix(" by ").unwrap_or_default();
        stated.extend(before.rsplit([',', ';', '.']).next());
    }
    stated.retain(|words| {
        let words = words.trim_start_matches("default ").trim();
        !words.is_empty() && contradicts(key, words)
    });
    stated
        .into_iter()
        .map(|words| {
            format!(
                "{}: the comment says `{words}`, but it is {:?}",
                key.path, key.default
            )
        })
        .collect()
}

fn contradicts(key: &Key, words: &str) -> bool {
    let end = words.find([',', ';', '(']).unwrap_or(words.len());
    let words = words[..end]
        .split(". ")
        .next()
        .unwrap_or_default()
        .trim()
        .trim_end_matches('.');
    let token = words.split_whitespace().next().unwrap_or_default();
    if matches!(
        token.trim_end_matches(':').to_lowercase().as_str(),
        "none" | "unset" | "nothing"
    ) {
        return key
            .default
            .as_ref()
            .is_some_and(|default| default.as_array().is_none_or(|items| !items.is_empty()));
    }
    let default = key.default.clone().unwrap_or_default();
    match key.kind {
        Kind::Duration => duration(words)
            .is_some_and(|stated| default.as_str().and_then(duration) != Some(stated)),
        Kind::Integer { .. } => token
            .replace('_', "")
            .parse::<i64>()
            .is_ok_and(|stated| default != stated),
        Kind::Boolean => token.parse::<bool>().is_ok_and(|stated| default != stated),
        Kind::Text { .. } => {
            let quoted = token.starts_with(['`', '"']);
            let alone = !words.contains(' ') && token.chars().any(|c| !c.is_alphabetic());
            (quoted || alone) && default.as_str() != Some(token.trim_matches(['`', '"']))
        }
        Kind::Number | Kind::List | Kind::Map => false,
    }
}

/// The duration that the words begin with.
fn duration(words: &str) -> Option<Duration> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let longest = (1..=words.len().min(4))
        .rev()
        .map(|count| words[..count].join(" "));
    longest
        .filter(|text| text.parse::<u64>().is_err())
        .find_map(|text| humantime::parse_duration(&text).ok())
}
