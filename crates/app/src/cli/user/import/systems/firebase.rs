//! Firebase: `firebase auth:export`.

use super::{
    Account, ForeignId, RowRefusal,
    fields::{Fields, base64, members},
};
use anyhow::{Context, Result, bail};
use revolve_adapters::argon2::{FirebaseParameters, ForeignHash};
use revolve_domain::model::PasswordHash;
use serde_json::Value;
use std::{collections::HashMap, fs, path::Path};

/// The providers whose columns a table has.
const PROVIDERS: [&str; 4] = ["google.com", "facebook.com", "twitter.com", "github.com"];

pub(super) fn read(mut fields: Fields, project: Option<&FirebaseParameters>) -> Account {
    let id = fields.text("localId");
    let mut account = Account {
        email: fields.text("email"),
        email_verified: fields.flag("emailVerified"),
        hash: hash(&mut fields, project),
        id: id.map(|id| ForeignId::Named(format!("firebase:{id}"))),
        name: fields.text("displayName"),
        image_url: fields.text("photoUrl"),
        created_at: fields.instant("createdAt"),
        disabled: fields.flag("disabled"),
        ..Account::default()
    };
    match fields.take("customAttributes").map(members) {
        Some(Some(claims)) => account.operators_data(claims),
        unreadable => account.leave_out("custom claims", unreadable.is_some()),
    }
    account.leave_out("phone number", fields.had("phoneNumber"));
    account.leave_out("second factor", fields.had("mfaInfo"));
    let is_other = |provider: &Value| provider["providerId"] != "password";
    let mut others = fields.array("providerUserInfo").iter().any(is_other);
    for provider in PROVIDERS {
        others |= fields.had(provider);
    }
    account.leave_out("sign-in by another provider", others);
    account
}

fn hash(
    fields: &mut Fields,
    project: Option<&FirebaseParameters>,
) -> Option<Result<PasswordHash, RowRefusal>> {
    let (hash, salt) = (fields.text("passwordHash")?, fields.text("salt"));
    let refused = |code, why: &str| RowRefusal::new(code, format!("passwordHash: {why}"));
    let Some(project) = project else {
        let why = "the parameters of the project are needed; name their file with --hash-config";
        return Some(Err(refused("hash_config_missing", why)));
    };
    let hash = base64(&hash).and_then(|hash| {
        let salt = base64(&salt.unwrap_or_default())?;
        ForeignHash::Firebase(project).to_hash(&salt, &hash)
    });
    let wrong = || refused("hash_unsupported", "hash and salt are not in base64");
    Some(hash.ok_or_else(wrong))
}

/// The parameters as the console shows them: `hash_config { algorithm: SCRYPT, base64_signer_key: …, … }`. Its values are never quoted.
pub(in crate::cli::user::import) fn hash_config(file: &Path) -> Result<FirebaseParameters> {
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("--hash-config: {} can't be read", file.display()))?;
    parse(&text).with_context(|| format!("--hash-config: {}", file.display()))
}

fn parse(text: &str) -> Result<FirebaseParameters> {
    let unquoted = |text: &str| text.trim().trim_matches('"').to_owned();
    let pairs = text.split(['{', '}', ',', '\n']);
    let pairs = pairs.filter_map(|pair| pair.split_once(':'));
    let pairs: HashMap<String, String> = pairs
        .map(|(name, value)| (unquoted(name), unquoted(value)))
        .collect();
    let get = |name: &str| {
        let value = pairs.get(name);
        value.with_context(|| format!("{name} is missing; copy all of it from the console"))
    };
    let number = |name: &str| -> Result<u32> {
        let number = get(name)?.parse();
        number.ok().with_context(|| format!("{name} is no number"))
    };
    let bytes = |name: &str| -> Result<Vec<u8>> {
        base64(get(name)?).with_context(|| format!("{name} is not in base64"))
    };
    if get("algorithm")? != "SCRYPT" {
        bail!("its algorithm is not SCRYPT, the only one that Firebase exports hashes of");
    }
    Ok(FirebaseParameters {
        log_n: number("mem_cost")?,
        r: number("rounds")?,
        p: 1,
        salt_separator: bytes("base64_salt_separator")?,
        signer_key: bytes("base64_signer_key")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVM=,\n  \
                           base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n";

    #[test]
    fn the_parameters_are_read_as_the_console_shows_them_and_as_json() {
        let console = parse(CONSOLE).unwrap();
        assert_eq!((console.log_n, console.r, console.p), (14, 8, 1));
        assert_eq!(
            (console.salt_separator.as_slice(), console.signer_key.len()),
            (&[7][..], 32)
        );
        let json = CONSOLE
            .replace("hash_config ", "")
            .replace("SCRYPT", "\"SCRYPT\"")
            .replace("rounds", "\"rounds\"");
        assert!(parse(&json).unwrap() == console);
        assert!(
            parse(&json.replace('\n', " ")).unwrap() == console,
            "in one line"
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        for (text, words) in [
            (String::new(), "algorithm is missing"),
            (CONSOLE.replace("SCRYPT", "STANDARD_SCRYPT"), "not SCRYPT"),
            (CONSOLE.replace("mem_cost", "memory"), "mem_cost is missing"),
            (
                CONSOLE.replace("rounds: 8", "rounds: many"),
                "rounds is no number",
            ),
            (
                CONSOLE.replace("jxspr8", "j*spr8"),
                "base64_signer_key is not in base64",
            ),
        ] {
            let said = format!("{:#}", parse(&text).err().unwrap());
            assert!(
                said.contains(words) && !said.contains("Ki0RYycVU8"),
                "{said}"
            );
        }
    }
}
