//! As much of CBOR (RFC 8949) as an authenticator writes.

fn head(major: u8, value: u64) -> Vec<u8> {
    let major = major << 5;
    match value {
        0..=23 => vec![major | value.to_le_bytes()[0]],
        24..=0xff => vec![major | 0x18, value.to_le_bytes()[0]],
        0x100..=0xffff => [&[major | 0x19][..], &value.to_be_bytes()[6..]].concat(),
        _ => [&[major | 0x1b][..], &value.to_be_bytes()].concat(),
    }
}

pub(super) fn integer(value: i32) -> Vec<u8> {
    let (major, value) = if value < 0 { (1, !value) } else { (0, value) };
    head(major, value.unsigned_abs().into())
}

pub(super) fn bytes(value: &[u8]) -> Vec<u8> {
    [&head(2, value.len() as u64), value].concat()
}

pub(super) fn text(value: &str) -> Vec<u8> {
    [&head(3, value.len() as u64), value.as_bytes()].concat()
}

/// Of entries that are encoded already.
pub(super) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = head(5, entries.len() as u64);
    for (key, value) in entries {
        bytes.extend(key);
        bytes.extend(value);
    }
    bytes
}
