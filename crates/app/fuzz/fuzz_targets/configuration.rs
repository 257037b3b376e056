//! Any text as the configuration: nothing panics, neither the complaint nor `Debug` shows the master key, and what is accepted has rules
//! that hold when they are asked for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revolve::config::Config;

/// A secret as short as this may be part of a message by chance.
const SHORT: usize = 12;

fuzz_target!(|text: &str| {
    let said = match Config::from_toml(text) {
        Ok(config) => {
            let (sessions, keys) = (config.policy(), config.tokens.key_policy());
            assert!(
                !sessions.id_lifetime.is_zero()
                    && sessions.max_per_user > 0
                    && keys.margin >= config.tokens.key_refresh
            );
            format!("{config:?}")
        }
        Err(error) => error.to_string(),
    };
    let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
    let secret = table
        .get("secrets")
        .and_then(|secrets| secrets.get("master_key")?.as_str());
    if let Some(secret) =
        secret.filter(|secret| secret.len() >= SHORT && text.matches(secret).count() == 1)
    {
        assert!(!said.contains(secret), "the master key is shown");
    }
});
