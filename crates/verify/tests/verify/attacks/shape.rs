//! Tokens of a wrong shape: parts, padding, white space, encodings, other serializations, sizes.

use super::{AttackTable, AttackTarget};
use crate::support::b64;
use serde_json::json;

pub(super) fn add(table: &mut AttackTable<'_>) {
    let target = table.target;
    let good = target.good();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);

    for shape in [
        "",
        ".",
        "..",
        "...",
        "....",
        "h",
        "h.p",
        "h.p.",
        "h..s",
        ".p.s",
        "..s",
        "h..",
        ".h.p.s",
        "h.p.s.",
        "h.p.s.s",
        "h.p.s.x.y",
        "h.p..s",
        "h.p.s..",
    ] {
        let token: String = shape
            .chars()
            .map(|part| match part {
                'h' => header.to_owned(),
                'p' => payload.to_owned(),
                's' => signature.to_owned(),
                other => other.to_string(),
            })
            .collect();
        table.add(format!("parts {shape:?}"), token);
    }
    for (name, token) in [
        ("twice", format!("{good}{good}")),
        ("with its scheme", format!("Bearer {good}")),
        ("in quotes", format!("\"{good}\"")),
        ("in a list", format!("{good},{good}")),
        ("small letters", good.to_lowercase()),
        ("capital letters", good.to_uppercase()),
        ("backwards", good.chars().rev().collect()),
        ("percent-encoded dots", good.replace('.', "%2E")),
        ("percent-encoded letter", good.replacen('e', "%65", 1)),
        ("percent-encoded null byte", format!("{good}%00")),
        ("other separators", good.replace('.', ":")),
        ("full-width dots", good.replace('.', "\u{ff0e}")),
        ("flattened JSON", json!({ "protected": header, "payload": payload, "signature": signature }).to_string()),
        ("general JSON", json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] }).to_string()),
        ("unencoded", format!("{}.{}.{signature}", target.header(), target.claims)),
        ("doubly encoded", b64(&good)),
    ] {
        table.add(name, token);
    }
    for (what, between) in [
        ("space", " "),
        ("tab", "\t"),
        ("LF", "\n"),
        ("CR LF", "\r\n"),
        ("null byte", "\0"),
        ("no-break space", "\u{a0}"),
        ("zero width", "\u{200b}"),
        ("BOM", "\u{feff}"),
        ("=", "="),
        ("==", "=="),
        ("+", "+"),
        ("/", "/"),
        ("~", "~"),
        ("!", "!"),
    ] {
        table.add(format!("{what} before"), format!("{between}{good}"));
        table.add(format!("{what} after"), format!("{good}{between}"));
        table.add(
            format!("{what} in the signature"),
            format!(
                "{header}.{payload}.{}{between}{}",
                &signature[..9],
                &signature[9..]
            ),
        );
        // Signed, so that the signature can't tell.
        table.add_signed(
            format!("{what} after the header"),
            &format!("{header}{between}.{payload}"),
        );
        table.add_signed(
            format!("{what} after the payload"),
            &format!("{header}.{payload}{between}"),
        );
    }
    encodings(table, target, &good);
    sizes(table, target);
}

/// The same bytes in another spelling (RFC 4648 §3.5), and other encodings.
fn encodings(table: &mut AttackTable<'_>, target: &AttackTarget, good: &str) {
    let (message, signature) = good.rsplit_once('.').unwrap();
    table.add(
        "loose bits in the signature",
        format!("{message}.{}", loose(signature)),
    );
    let header = spaced(&target.header());
    table.add_signed(
        "loose bits in the header",
        &format!("{}.{}", loose(&b64(header)), b64(target.claims.to_string())),
    );
    let payload = spaced(&target.claims.to_string());
    table.add_signed(
        "loose bits in the payload",
        &format!("{}.{}", b64(target.header()), loose(&b64(payload))),
    );

    let utf16: Vec<u8> = target
        .claims
        .to_string()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    table.add_payload("payload in UTF-16", utf16);
    let text = target.claims.to_string();
    for (what, payload) in [
        ("BOM", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        (
            "bad UTF-8",
            text.replacen("email\":\"", "email\":\"\u{1}", 1)
                .into_bytes()
                .iter()
                .map(|byte| if *byte == 1 { 0xff } else { *byte })
                .collect(),
        ),
        (
            "lone surrogate",
            text.replacen("email\":\"", "email\":\"\\ud800", 1)
                .into_bytes(),
        ),
        (
            "raw control character",
            text.replacen("email\":\"", "email\":\"\u{2}", 1)
                .into_bytes(),
        ),
        ("something after", [text.as_bytes(), b"{}"].concat()),
        ("comma after", [text.as_bytes(), b","].concat()),
        ("null byte after", [text.as_bytes(), b"\0"].concat()),
        ("comment", [b"/**/", text.as_bytes()].concat()),
        ("cut", text.as_bytes()[..text.len() - 1].to_vec()),
        ("nothing", Vec::new()),
        ("null", b"null".to_vec()),
        ("array", format!("[{text}]").into_bytes()),
        ("text", serde_json::to_vec(&text).unwrap()),
        ("number", b"1".to_vec()),
        ("true", b"true".to_vec()),
        ("empty object", b"{}".to_vec()),
        ("token", good.as_bytes().to_vec()),
        ("token as text", serde_json::to_vec(good).unwrap()),
    ] {
        table.add_payload(format!("payload: {what}"), payload);
    }
    let mut nested = target.key.header("JWT");
    nested["cty"] = json!("JWT");
    table.add("nested", target.key.token_of(nested.to_string(), good));
    for (what, jwe) in [
        (
            "RSA-OAEP",
            json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": target.key.id, "typ": "JWT" }),
        ),
        (
            "direct",
            json!({ "alg": "dir", "enc": "A256GCM", "kid": target.key.id, "typ": "JWT" }),
        ),
        (
            "password",
            json!({ "alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2c": 2_000_000_000, "p2s": "AAAA", "kid": target.key.id }),
        ),
        (
            "signed algorithm",
            json!({ "alg": target.key.algorithm.name(), "enc": "A256GCM", "kid": target.key.id, "typ": "JWT" }),
        ),
    ] {
        table.add(
            format!("JWE {what}"),
            format!(
                "{}.{}.AAAAAAAAAAAAAAAA.{}.AAAAAAAAAAAAAAAAAAAAAA",
                b64(jwe.to_string()),
                b64([7; 32]),
                b64(good)
            ),
        );
    }
}

fn sizes(table: &mut AttackTable<'_>, target: &AttackTarget) {
    let mut huge = target.claims.clone();
    huge["user"]["name"] = json!("a".repeat(32_000));
    table.add_payload("payload of 32 KB", huge.to_string());
    let mut header = target.key.header("JWT");
    header["x"] = json!("a".repeat(32_000));
    table.add_header("header of 32 KB", header.to_string());
    table.add_header(
        "header of 60 KB",
        target
            .header()
            .replacen('{', &format!("{{\"x\":\"{}\",", "a".repeat(60_000)), 1),
    );
    for (what, (open, close)) in [("arrays", ("[", "]")), ("objects", ("{\"a\":", "}"))] {
        let deep = format!("{}0{}", open.repeat(500), close.repeat(500));
        table.add_header(
            format!("header of deep {what}"),
            target
                .header()
                .replacen('{', &format!("{{\"x\":{deep},"), 1),
        );
        table.add_payload(
            format!("payload of deep {what}"),
            target
                .claims
                .to_string()
                .replacen('{', &format!("{{\"x\":{deep},"), 1),
        );
    }
    table.add("a megabyte of dots", ".".repeat(1 << 20));
    table.add("60 KB of letters", "A".repeat(60_000));
}

/// JSON with spaces, so that its last character in base64 has bits to spare.
fn spaced(json: &str) -> String {
    format!("{json}{}", " ".repeat((4 - json.len() % 3) % 3))
}

/// The last character with a bit set that decoders should mind.
fn loose(encoded: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(encoded.len() % 4, 0, "there are no bits to spare");
    let (rest, last) = encoded.split_at(encoded.len() - 1);
    let index = ALPHABET.find(last).unwrap();
    assert_eq!(index % 4, 0);
    format!("{rest}{}", &ALPHABET[index + 1..=index + 1])
}
