//! Auth0's `custom_password_hash`: an algorithm, a hash, and how salt and password were combined.

use super::{
    RowRefusal,
    fields::{Fields, base64},
};
use base16ct::mixed;
use revolve_adapters::argon2::{DigestName, ForeignHash, PasswordEncoding, SaltUse};
use revolve_domain::model::PasswordHash;
use serde_json::{Map, Value};

/// What `pbkdf2` means where it does not say.
const ITERATIONS: &str = "i=100000";

pub(super) fn read(custom: Map<String, Value>) -> Result<PasswordHash, RowRefusal> {
    let mut custom = Fields::new(custom);
    let algorithm = custom.text("algorithm").unwrap_or_default();
    let part = |value: Option<Map<String, Value>>| Fields::new(value.unwrap_or_default());
    let mut hash = part(custom.object("hash"));
    let salt = custom.object("salt").map(Fields::new);
    let password = part(custom.object("password")).text("encoding");
    let encoding = encoding(password.as_deref().unwrap_or("utf8"))?;
    if let "argon2" | "bcrypt" | "ldap" | "pbkdf2" = algorithm.as_str() {
        let text = hash.text("value").unwrap_or_default();
        if salt.is_some() || encoding != PasswordEncoding::Utf8 {
            let why =
                "a salt or an encoding beside argon2, bcrypt, ldap or pbkdf2 is not supported";
            return Err(unsupported(why));
        }
        let is_of = match algorithm.as_str() {
            "argon2" => text.starts_with("$argon2"),
            "bcrypt" => text.starts_with("$2"),
            "ldap" => text.starts_with('{'),
            _ => text.starts_with("$pbkdf2-"),
        };
        return if is_of {
            Ok(PasswordHash::from_phc(with_iterations(text)))
        } else {
            Err(unsupported("hash.value is no hash of its algorithm"))
        };
    }
    let (salt, position) = match salt {
        None => (Vec::new(), None),
        Some(mut salt) => (value(&mut salt, "utf8")?, salt.text("position")),
    };
    let foreign = match algorithm.as_str() {
        "scrypt" if encoding == PasswordEncoding::Utf8 => ForeignHash::Scrypt {
            n: number(&mut custom, "cost")?.unwrap_or(16_384),
            r: small(number(&mut custom, "blockSize")?.unwrap_or(8))?,
            p: small(number(&mut custom, "parallelization")?.unwrap_or(1))?,
        },
        "hmac" if salt.is_empty() => {
            let digest = hash.text("digest").unwrap_or_default();
            let foreign = digested(&digest, encoding, SaltUse::Key)?;
            let mut key = part(hash.object("key"));
            let key = value(&mut key, "utf8")?;
            return made(foreign, &key, &value(&mut hash, "hex")?);
        }
        "md4" | "md5" | "sha1" | "sha256" | "sha512" => {
            let salt_use = match position.as_deref() {
                None | Some("prefix") => SaltUse::Prefix,
                Some("suffix") => SaltUse::Suffix,
                Some(_) => return Err(unsupported("salt.position must be prefix or suffix")),
            };
            digested(&algorithm, encoding, salt_use)?
        }
        _ => {
            return Err(unsupported(
                "this algorithm, or this use of it, is not supported",
            ));
        }
    };
    made(foreign, &salt, &value(&mut hash, "hex")?)
}

fn made(foreign: ForeignHash<'_>, salt: &[u8], hash: &[u8]) -> Result<PasswordHash, RowRefusal> {
    let made = foreign.to_hash(salt, hash);
    made.ok_or_else(|| unsupported("its parameters are not correct"))
}

fn digested(
    digest: &str,
    encoding: PasswordEncoding,
    salt_use: SaltUse,
) -> Result<ForeignHash<'static>, RowRefusal> {
    let digest = DigestName::named(digest);
    let digest = digest.ok_or_else(|| unsupported("this digest is not supported"))?;
    Ok(ForeignHash::Digest {
        digest,
        encoding,
        salt_use,
    })
}

fn encoding(name: &str) -> Result<PasswordEncoding, RowRefusal> {
    Ok(match name {
        "utf8" => PasswordEncoding::Utf8,
        "utf16le" | "ucs2" => PasswordEncoding::Utf16Le,
        "ascii" | "latin1" | "binary" => PasswordEncoding::Latin1,
        _ => return Err(unsupported("password.encoding is not known")),
    })
}

/// `value` by its `encoding`.
fn value(part: &mut Fields, usually: &str) -> Result<Vec<u8>, RowRefusal> {
    let text = part.text("value").unwrap_or_default();
    let encoding = part.text("encoding");
    let bytes = match encoding.as_deref().unwrap_or(usually) {
        "hex" => mixed::decode_vec(&text).ok(),
        "base64" => base64(&text),
        "utf8" => Some(text.into_bytes()),
        _ => None,
    };
    bytes.ok_or_else(|| unsupported("a value is not in its encoding"))
}

fn number(custom: &mut Fields, name: &str) -> Result<Option<u64>, RowRefusal> {
    let text = custom.text(name).map(|text| text.parse());
    text.transpose()
        .map_err(|_| unsupported("its parameters are not correct"))
}

fn small(number: u64) -> Result<u32, RowRefusal> {
    u32::try_from(number).map_err(|_| unsupported("its parameters are not correct"))
}

/// `$pbkdf2-sha512$salt$hash` has neither iterations nor length.
fn with_iterations(text: String) -> String {
    match text.split('$').collect::<Vec<_>>()[..] {
        ["", id, salt, hash] if id.starts_with("pbkdf2-") => {
            format!("${id}${ITERATIONS}${salt}${hash}")
        }
        _ => text,
    }
}

fn unsupported(why: &str) -> RowRefusal {
    RowRefusal::new("hash_unsupported", format!("custom_password_hash: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_value(custom: Value) -> Result<String, String> {
        let Value::Object(custom) = custom else {
            panic!("an object")
        };
        let hash = read(custom).map(|hash| hash.expose().to_owned());
        hash.map_err(|refusal| {
            assert_eq!(refusal.code, "hash_unsupported");
            refusal.reason
        })
    }

    #[test]
    fn the_eleven_algorithms_are_read() {
        let bcrypt = "$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG";
        let argon2 = "$argon2id$v=19$m=65536,t=2,p=1$J6Q/82PCyaNpYKRELJyTZg$m04qUAB8rexWDR4+/0f+SFB+4XMFxt7YAvAq2UycYos";
        let (salt, hash) = ("YWJjMTIz", "0k55T85QPD3bHNG6HdXZslDPmRczagMW/v2H/s95IA8");
        let hex = "d24e794fce503c3ddb1cd1ba1dd5d9b250cf9917336a0316fefd87fecf79200f";
        let text = |algorithm: &str, value: &str| json!({ "algorithm": algorithm, "hash": { "value": value, "encoding": "utf8" } });
        let plain = |algorithm: &str, value: &str| json!({ "algorithm": algorithm, "hash": { "value": value, "encoding": "hex" } });
        for (custom, expected) in [
            (text("bcrypt", bcrypt), bcrypt.to_owned()),
            (text("argon2", argon2), argon2.to_owned()),
            (text("ldap", "{SSHA}AAAA"), "{SSHA}AAAA".to_owned()),
            (
                text("pbkdf2", "$pbkdf2-sha512$i=1,l=1$a$b"),
                "$pbkdf2-sha512$i=1,l=1$a$b".to_owned(),
            ),
            (
                text("pbkdf2", "$pbkdf2-sha512$a$b"),
                "$pbkdf2-sha512$i=100000$a$b".to_owned(),
            ),
            (
                plain("md4", "00"),
                "$digest$a=md4,e=utf8,s=prefix$$AA".to_owned(),
            ),
            (
                plain("md5", "00"),
                "$digest$a=md5,e=utf8,s=prefix$$AA".to_owned(),
            ),
            (
                plain("sha1", "00"),
                "$digest$a=sha1,e=utf8,s=prefix$$AA".to_owned(),
            ),
            (
                plain("sha512", "00"),
                "$digest$a=sha512,e=utf8,s=prefix$$AA".to_owned(),
            ),
            (
                json!({ "algorithm": "sha256", "hash": { "value": hex.to_uppercase(), "encoding": "hex" },
                    "salt": { "value": "abc123" }, "password": { "encoding": "ucs2" } }),
                format!("$digest$a=sha256,e=utf16le,s=prefix${salt}${hash}"),
            ),
            (
                json!({ "algorithm": "sha256", "hash": { "value": hash.replace('/', "_"), "encoding": "base64" },
                    "salt": { "value": "616263313233", "encoding": "hex", "position": "suffix" }, "password": { "encoding": "binary" } }),
                format!("$digest$a=sha256,e=latin1,s=suffix${salt}${hash}"),
            ),
            (
                json!({ "algorithm": "hmac", "hash": { "value": hex, "encoding": "hex", "digest": "sha256",
                    "key": { "value": "YWJjMTIz", "encoding": "base64" } } }),
                format!("$digest$a=sha256,e=utf8,s=hmac${salt}${hash}"),
            ),
            (
                json!({ "algorithm": "scrypt", "hash": { "value": hex, "encoding": "hex" }, "salt": { "value": "abc123" }, "keylen": 32, "cost": 4096 }),
                format!("$scrypt$ln=12,r=8,p=1${salt}${hash}"),
            ),
            (
                json!({ "algorithm": "scrypt", "hash": { "value": hex, "encoding": "hex" }, "salt": { "value": "abc123" },
                    "keylen": 32, "blockSize": 4, "parallelization": 2 }),
                format!("$scrypt$ln=14,r=4,p=2${salt}${hash}"),
            ),
        ] {
            assert_eq!(read_value(custom.clone()), Ok(expected), "{custom}");
        }
    }

    #[test]
    fn what_can_not_be_checked_is_said_without_the_hash() {
        for custom in [
            json!({}),
            json!({ "algorithm": "whirlpool", "hash": { "value": "canary", "encoding": "utf8" } }),
            json!({ "algorithm": "bcrypt", "hash": { "value": "canary" } }),
            json!({ "algorithm": "bcrypt", "hash": { "value": "$2b$10$canary" }, "salt": { "value": "canary" } }),
            json!({ "algorithm": "hmac", "hash": { "value": "00", "digest": "ripemd160", "key": { "value": "canary" } } }),
            json!({ "algorithm": "hmac", "hash": { "value": "00", "digest": "md5" }, "salt": { "value": "canary" } }),
            json!({ "algorithm": "md5", "hash": { "value": "canary", "encoding": "hex" } }),
            json!({ "algorithm": "md5", "hash": { "value": "00", "encoding": "canary" } }),
            json!({ "algorithm": "md5", "hash": { "value": "00" }, "salt": { "value": "canary", "position": "middle" } }),
            json!({ "algorithm": "md5", "hash": { "value": "00" }, "password": { "encoding": "ebcdic" } }),
            json!({ "algorithm": "scrypt", "hash": { "value": "00" }, "cost": 1000 }),
            json!({ "algorithm": "scrypt", "hash": { "value": "00" }, "cost": "canary" }),
            json!({ "algorithm": "scrypt", "hash": { "value": "00" }, "blockSize": 4_294_967_296_u64 }),
            json!({ "algorithm": "scrypt", "hash": { "value": "00" }, "password": { "encoding": "utf16le" } }),
        ] {
            let said = read_value(custom.clone()).unwrap_err();
            assert!(
                said.starts_with("custom_password_hash: ") && !said.contains("canary"),
                "{custom}: {said}"
            );
        }
    }
}
