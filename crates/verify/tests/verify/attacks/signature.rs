//! Signatures that are none, or of something else, or numbers out of range.

use super::AttackTable;
use crate::support::{TestKey, b64};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use revolve_verify::Algorithm;
use serde_json::json;

pub(super) fn add(table: &mut AttackTable<'_>) {
    let target = table.target;
    let good = target.good();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let length = signature.len();
    let flipped = |index: usize, bit: u8| {
        let mut flipped = signature.clone();
        flipped[index] ^= bit;
        flipped
    };
    let other = target.key.sign(b"another message");
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("empty".into(), Vec::new()),
        ("one null byte".into(), vec![0]),
        ("null bytes".into(), vec![0; length]),
        ("0xff bytes".into(), vec![0xff; length]),
        ("number one".into(), [vec![0; length - 1], vec![1]].concat()),
        ("half".into(), signature[..length / 2].to_vec()),
        ("other half".into(), signature[length / 2..].to_vec()),
        ("one byte short".into(), signature[..length - 1].to_vec()),
        ("without its first byte".into(), signature[1..].to_vec()),
        ("null byte after".into(), [&signature[..], &[0]].concat()),
        ("null byte before".into(), [&[0], &signature[..]].concat()),
        ("twice".into(), [&signature[..], &signature].concat()),
        (
            "backwards".into(),
            signature.iter().rev().copied().collect(),
        ),
        (
            "halves exchanged".into(),
            [&signature[length / 2..], &signature[..length / 2]].concat(),
        ),
        ("of another message".into(), other),
        (
            "of the payload alone".into(),
            target.key.sign(target.claims.to_string().as_bytes()),
        ),
        (
            "of the message with a dot".into(),
            target.key.sign(format!("{message}.").as_bytes()),
        ),
        (
            "of another key".into(),
            TestKey::generate(target.key.algorithm).sign(message.as_bytes()),
        ),
        ("in base64".into(), STANDARD.encode(&signature).into_bytes()),
        (
            "complement".into(),
            signature.iter().map(|byte| !byte).collect(),
        ),
    ];
    for index in [0, 1, length / 4, length / 2, length - 2, length - 1] {
        cases.push((format!("lowest bit of byte {index}"), flipped(index, 1)));
        cases.push((format!("highest bit of byte {index}"), flipped(index, 0x80)));
    }
    for (name, bytes) in numbers(target.key.algorithm, &signature, &target.key) {
        cases.push((name.to_owned(), bytes));
    }
    for (name, bytes) in cases {
        table.add(
            format!("signature: {name}"),
            format!("{message}.{}", b64(bytes)),
        );
    }
    // A good signature under something else.
    let (header, _) = message.split_once('.').unwrap();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let mut raised = target.claims.clone();
    raised["user"]["email"] = json!("root@example.org");
    table.add(
        "signature: under other claims",
        format!("{header}.{}.{signature}", b64(raised.to_string())),
    );
    let mut other_header = target.key.header("JWT");
    other_header["x"] = json!(1);
    table.add(
        "signature: under another header",
        format!(
            "{}.{}.{signature}",
            b64(other_header.to_string()),
            b64(target.claims.to_string())
        ),
    );
}

/// What only one algorithm's signatures can be.
fn numbers(algorithm: Algorithm, signature: &[u8], key: &TestKey) -> Vec<(&'static str, Vec<u8>)> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let modulus = URL_SAFE_NO_PAD
                .decode(key.jwk["n"].as_str().unwrap())
                .unwrap();
            let mut less = modulus.clone();
            less[255] -= 1; // A modulus is odd.
            vec![("the modulus", modulus), ("the modulus less one", less)]
        }
        Algorithm::Es256 => {
            let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
            let prime = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
            let (r, s) = signature.split_at(32);
            let (zero, one) = (vec![0; 32], [vec![0; 31], vec![1]].concat());
            vec![
                ("r = 0", [&zero, s].concat()),
                ("s = 0", [r, &zero].concat()),
                ("r = s = 1", [&one[..], &one].concat()),
                ("r = n", [&order, s].concat()),
                ("s = n", [r, &order].concat()),
                ("r = s = n", [&order[..], &order].concat()),
                ("r = p", [&prime, s].concat()),
                ("r = n, s = 0", [&order[..], &zero].concat()),
                ("in DER", der(r, s)),
                ("r = s = 0 in DER", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
                ("33 bytes each", [&[0], r, &[0], s].concat()),
            ]
        }
        Algorithm::EdDsa | Algorithm::Ed25519 => {
            let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
            let (r, s) = signature.split_at(32);
            // RFC 8032 §5.1.7: S must be below the group's order.
            let mut carry = 0;
            let mut beyond = s.to_vec();
            for (byte, add) in beyond.iter_mut().zip(&order) {
                let sum = u16::from(*byte) + u16::from(*add) + carry;
                (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
            }
            let mut identity = [0; 32];
            identity[0] = 1;
            vec![
                ("S + L", [r, &beyond].concat()),
                ("S = L", [r, &order].concat()),
                (
                    "R is the identity, S = 0",
                    [&identity[..], &[0; 32]].concat(),
                ),
                ("R = 0", [&[0; 32], s].concat()),
                ("S = 0", [r, &[0; 32]].concat()),
            ]
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// ECDSA-Sig-Value (RFC 3279 §2.2.3).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}
