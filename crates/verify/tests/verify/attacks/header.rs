//! Headers that want another algorithm, another key, another type or an extension.

use super::{AttackTable, AttackTarget};
use crate::support::{TestKey, b64, key_set};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use revolve_verify::Algorithm;
use serde_json::{Value, json};

pub(super) fn add(table: &mut AttackTable<'_>) {
    let evil = TestKey::generate(table.target.key.algorithm);
    algorithms(table);
    key_confusion(table);
    key_ids(table, &evil);
    keys_of_their_own(table, &evil);
    types_and_extensions(table);
    duplicates(table);
    for (what, header) in [
        ("nothing", String::new()),
        ("null", "null".to_owned()),
        ("array", format!("[{}]", table.target.header())),
        ("text", "\"RS256\"".to_owned()),
        ("empty object", "{}".to_owned()),
        ("something after", format!("{}x", table.target.header())),
        ("single quotes", table.target.header().replace('"', "'")),
    ] {
        table.add_header(format!("header: {what}"), header);
    }
}

fn with(target: &AttackTarget, name: &str, value: Value) -> String {
    let mut header = target.key.header("JWT");
    header[name] = value;
    header.to_string()
}

fn without(target: &AttackTarget, name: &str) -> String {
    let mut header = target.key.header("JWT");
    header.as_object_mut().unwrap().remove(name);
    header.to_string()
}

fn algorithms(table: &mut AttackTable<'_>) {
    let target = table.target;
    for none in [
        "none", "None", "NONE", "nOnE", "", " none", "none\0", "\"none\"",
    ] {
        let message = format!(
            "{}.{}",
            b64(with(target, "alg", json!(none))),
            b64(target.claims.to_string())
        );
        table.add(format!("alg {none:?}, unsigned"), format!("{message}."));
        table.add(
            format!("alg {none:?}, signed"),
            format!("{message}.{}", b64(target.key.sign(message.as_bytes()))),
        );
    }
    table.add(
        "alg none, bare",
        format!(
            "{}.{}.",
            b64(r#"{"alg":"none"}"#),
            b64(target.claims.to_string())
        ),
    );
    let real = target.key.algorithm.name();
    // With this curve both are names of the key's own algorithm (RFC 9864 §2.2).
    let same: &[_] = match target.key.algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => &["EdDSA", "Ed25519"],
        _ => &[real],
    };
    for other in [
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
        "RS384",
        "RS512",
        "PS384",
        "PS512",
        "ES384",
        "ES512",
        "ES256K",
        "HS256",
        "HS384",
        "HS512",
        "Ed25519",
        "Ed448",
        "RS1",
        "RSA",
        "SHA256withRSA",
        "sha256",
        "dir",
        "RSA-OAEP",
    ] {
        if !same.contains(&other) {
            table.add_header(
                format!("alg {other}, signed as {real}"),
                with(target, "alg", json!(other)),
            );
        }
    }
    let spellings = [
        real.to_lowercase(),
        format!(" {real}"),
        format!("{real} "),
        format!("{real}\0"),
        format!("{real},none"),
        real.replace('S', "\u{17f}"),
    ];
    for spelling in spellings.into_iter().filter(|spelling| spelling != real) {
        table.add_header(
            format!("alg spelled {spelling:?}"),
            with(target, "alg", json!(spelling)),
        );
    }
    for value in [
        json!(null),
        json!(256),
        json!(true),
        json!([real]),
        json!({ "alg": real }),
    ] {
        table.add_header(format!("alg {value}"), with(target, "alg", value));
    }
    table.add_header("no alg", without(target, "alg"));
    table.add_header("ALG", target.header().replace("\"alg\"", "\"ALG\""));
}

/// What is public, used as if it were a secret (RFC 8725 §2.1).
fn key_confusion(table: &mut AttackTable<'_>) {
    let target = table.target;
    let der = target.key.public_der();
    let body = STANDARD.encode(&der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    );
    let member = if target.key.jwk["n"].is_string() {
        "n"
    } else {
        "x"
    };
    let number = target.key.jwk[member].as_str().unwrap();
    let secrets: [(&str, Vec<u8>); 10] = [
        ("PEM", pem.clone().into_bytes()),
        (
            "PEM without its last line break",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("PEM with CR LF", pem.replace('\n', "\r\n").into_bytes()),
        ("DER", der),
        ("body of the PEM", body.into_bytes()),
        ("JWK", target.key.jwk.to_string().into_bytes()),
        ("JWK set", key_set(&[&target.key]).into_bytes()),
        ("number in base64url", number.as_bytes().to_vec()),
        ("key id", target.key.id.clone().into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (what, secret) in secrets {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let key = hmac::Key::new(algorithm, &secret);
            for alg in [name, target.key.algorithm.name()] {
                let message = format!(
                    "{}.{}",
                    b64(with(target, "alg", json!(alg))),
                    b64(target.claims.to_string())
                );
                let mac = hmac::sign(&key, message.as_bytes());
                table.add(
                    format!("MAC {name} with {what}, alg {alg}"),
                    format!("{message}.{}", b64(mac)),
                );
            }
        }
    }
}

fn key_ids(table: &mut AttackTable<'_>, evil: &TestKey) {
    let target = table.target;
    let id = target.key.id.as_str();
    let injected = [
        "",
        " ",
        "*",
        "\0",
        "%00",
        "null",
        "0",
        "/dev/null",
        "../../../../../../dev/null",
        "..\\..\\nul",
        "/etc/passwd",
        "file:///dev/null",
        "http://127.0.0.1:1/key.pem",
        "' OR '1'='1",
        "x' UNION SELECT 'AA';--",
        "\"; DROP TABLE keys;--",
        "| cat /dev/null",
        "$(id)",
        "${jndi:ldap://127.0.0.1:1/a}",
        "{{7*7}}",
        "__proto__",
        "constructor",
        "\u{202e}kid",
    ];
    let near = [
        format!("{id}\0"),
        format!("\0{id}"),
        format!("{id} "),
        format!(" {id}"),
        format!("{id}\n"),
        format!("{id}="),
        format!("{id}/../x"),
        format!("./{id}"),
        id.to_lowercase(),
        id[..id.len() - 1].to_owned(),
        format!("{id}A"),
        format!("{id},{}", evil.id),
        evil.id.clone(),
        target.sibling.id.clone(),
        "k".repeat(5000),
    ];
    for (number, kid) in injected
        .into_iter()
        .map(str::to_owned)
        .chain(near)
        .enumerate()
    {
        let header = with(target, "kid", json!(kid));
        let shown: String = kid.chars().take(40).collect();
        table.add_header(
            format!("kid {number} {shown:?}, issuer's signature"),
            &header,
        );
        table.add(
            format!("kid {number} {shown:?}, foreign signature"),
            evil.token_of(&header, target.claims.to_string()),
        );
    }
    for value in [
        json!(null),
        json!(0),
        json!([id]),
        json!({ "kid": id }),
        json!(true),
    ] {
        table.add_header(format!("kid {value}"), with(target, "kid", value));
    }
    table.add_header("no kid", without(target, "kid"));
    // The issuer's other key, each with the other's name or algorithm.
    let sibling = &target.sibling;
    for (kid, alg) in [
        (id, sibling.algorithm),
        (sibling.id.as_str(), target.key.algorithm),
        (id, target.key.algorithm),
    ] {
        let header = json!({ "alg": alg.name(), "kid": kid, "typ": "JWT" }).to_string();
        let same = kid == id;
        table.add(
            format!("sibling's signature, kid same={same}, {alg}"),
            sibling.token_of(header, target.claims.to_string()),
        );
    }
    let crossed =
        json!({ "alg": sibling.algorithm.name(), "kid": sibling.id, "typ": "JWT" }).to_string();
    table.add_header("sibling's header", crossed);
}

/// Headers that bring a key along (RFC 8725 §2.10, §3.10).
fn keys_of_their_own(table: &mut AttackTable<'_>, evil: &TestKey) {
    let target = table.target;
    let certificate = STANDARD.encode(evil.public_der());
    let data_url = format!(
        "data:application/json;base64,{}",
        STANDARD.encode(key_set(&[evil]))
    );
    for kid in [evil.id.as_str(), target.key.id.as_str()] {
        let which = if kid == evil.id { "own" } else { "issuer's" };
        let mut jwk = evil.jwk.clone();
        jwk["kid"] = json!(kid);
        for (name, value) in [
            ("jwk", jwk),
            ("jku", json!("http://127.0.0.1:1/jwks.json")),
            ("jku", json!(data_url)),
            (
                "jku",
                json!("https://accounts.example.org@127.0.0.1:1/.well-known/jwks.json"),
            ),
            ("x5u", json!("http://127.0.0.1:1/key.pem")),
            ("x5c", json!([certificate])),
            ("x5t", json!("AAAA")),
            ("iss", target.claims["iss"].clone()),
            ("keys", json!([evil.jwk])),
        ] {
            let mut header = evil.header("JWT");
            header["kid"] = json!(kid);
            header[name] = value.clone();
            let shown: String = value.to_string().chars().take(24).collect();
            table.add(
                format!("{name} {shown}, {which} kid"),
                evil.token_of(header.to_string(), target.claims.to_string()),
            );
        }
        let mut header = evil.header("JWT");
        header["kid"] = json!(kid);
        table.add(
            format!("foreign key, {which} kid"),
            evil.token_of(header.to_string(), target.claims.to_string()),
        );
    }
    for algorithm in Algorithm::ALL
        .into_iter()
        .filter(|algorithm| *algorithm != evil.algorithm)
    {
        let other = TestKey::of_issuer(algorithm);
        let header =
            json!({ "alg": algorithm.name(), "kid": target.key.id, "typ": "JWT" }).to_string();
        table.add(
            format!("{algorithm} under the issuer's kid"),
            other.token_of(header, target.claims.to_string()),
        );
    }
}

fn types_and_extensions(table: &mut AttackTable<'_>) {
    let target = table.target;
    for value in [
        json!("jwt"),
        json!("Jwt"),
        json!("at+jwt"),
        json!("application/jwt"),
        json!("application/JWT"),
        json!("refresh+jwt"),
        json!("reauthentication+jwt"),
        json!("revocations+jwt"),
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("JOSE"),
        json!("JWE"),
        json!(""),
        json!(" JWT"),
        json!("JWT "),
        json!("JWT\0"),
        json!(null),
        json!(1),
        json!(["JWT"]),
    ] {
        table.add_header(format!("typ {value}"), with(target, "typ", value));
    }
    table.add_header("no typ", without(target, "typ"));
    for value in [
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["x"]),
        json!([]),
        json!(null),
        json!("exp"),
        json!(false),
        json!({}),
    ] {
        table.add_header(format!("crit {value}"), with(target, "crit", value));
    }
    for value in [json!(false), json!(true), json!(null), json!("false")] {
        let mut header = target.key.header("JWT");
        header["b64"] = value.clone();
        table.add_header(format!("b64 {value}"), header.to_string());
        header["crit"] = json!(["b64"]);
        table.add_header(format!("b64 {value}, crit"), header.to_string());
        table.add_signed(
            format!("b64 {value}, payload as it is"),
            &format!("{}.{}", b64(header.to_string()), target.claims),
        );
    }
}

fn duplicates(table: &mut AttackTable<'_>) {
    let target = table.target;
    let header = target.header();
    for first in [
        r#""alg":"none""#.to_owned(),
        r#""alg":"HS256""#.to_owned(),
        format!("\"alg\":\"{}\"", target.key.algorithm),
        r#""\u0061lg":"none""#.to_owned(),
        r#""kid":"x""#.to_owned(),
        format!("\"kid\":\"{}\"", target.key.id),
        r#""k\u0069d":"x""#.to_owned(),
        r#""typ":"JWT""#.to_owned(),
        r#""typ":"refresh+jwt""#.to_owned(),
        r#""x":1,"x":1"#.to_owned(),
        r#""x":{"y":1,"y":1}"#.to_owned(),
    ] {
        table.add_header(
            format!("{first} as well, before"),
            header.replacen('{', &format!("{{{first},"), 1),
        );
        table.add_header(
            format!("{first} as well, after"),
            format!("{},{first}}}", &header[..header.len() - 1]),
        );
    }
}
