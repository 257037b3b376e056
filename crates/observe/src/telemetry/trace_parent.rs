//! The trace that a request belongs to (W3C Trace Context, version 00). What is malformed is as if it were not there.

use std::fmt;

/// What a `traceparent` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// Which trace; never all zero.
    pub trace_id: [u8; 16],
    /// The span that asks; never all zero.
    pub parent_id: [u8; 8],
    /// Whether the trace is recorded, and what later versions may add.
    pub flags: u8,
}

impl TraceParent {
    /// `00-<32 hex digits>-<16>-<2>`, in lower case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; 55] = text.try_into().ok()?;
        if !text.starts_with(b"00-") || text[35] != b'-' || text[52] != b'-' {
            return None;
        }
        let (trace_id, parent_id, [flags]) =
            (hex(&text[3..35])?, hex(&text[36..52])?, hex(&text[53..])?);
        let is_valid = trace_id != [0; 16] && parent_id != [0; 8];
        is_valid.then_some(Self {
            trace_id,
            parent_id,
            flags,
        })
    }

    /// The trace's id as it is written.
    pub fn trace(&self) -> Hex<'_> {
        Hex(&self.trace_id)
    }
}

/// Bytes in hexadecimal.
pub struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_good_one_is_read() {
        let parent = TraceParent::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(
            parent.trace().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        assert_eq!(
            (parent.parent_id[0], parent.parent_id[7], parent.flags),
            (0, 0xb7, 1)
        );
    }

    #[test]
    fn what_is_malformed_is_not_there() {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for bad in [
            String::new(),
            GOOD.replacen("00", "01", 1),
            GOOD.replacen("00", "ff", 1),
            GOOD.to_uppercase(),
            format!("{GOOD}-more"),
            GOOD.replace(trace, &"0".repeat(32)),
            GOOD.replace(parent, &"0".repeat(16)),
            GOOD.replace("4b", "4x"),
            GOOD.replace("-01", "_01"),
            format!("00-{}", "eyJ".repeat(17)),
        ] {
            assert_eq!(TraceParent::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
