//! The contracts of the ports that hash, sign and authenticate.

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]
#![expect(clippy::unused_async, reason = "all cases are called in the same way")]

pub mod codec;
pub mod devices;
pub mod factor_secrets;
pub mod hasher;
pub mod proofs;
pub mod strength;

/// Texts that differ from this one in one character, once in each of its parts and near its ends. The last character
/// of a part is left alone: in base64url some of its bits may mean nothing.
fn variants(text: &str) -> Vec<String> {
    let flip = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("an ASCII character for another")
    };
    let mut places = vec![1, text.len() / 3, text.len() / 2, text.len() * 2 / 3];
    let mut start = 0;
    for part in text.split('.') {
        places.extend([start, start + part.len() / 2]);
        start += part.len() + 1;
    }
    let within = |&at: &usize| {
        at + 1 < text.len() && text.as_bytes()[at] != b'.' && text.as_bytes()[at + 1] != b'.'
    };
    places.into_iter().filter(within).map(flip).collect()
}
