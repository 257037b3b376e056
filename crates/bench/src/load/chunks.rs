//! Bodies whose length is not known in advance (RFC 9112 §7.1), which Node sends. Their trailers are not expected.

use std::ops::Range;

/// Where the chunks are in a body, and where it ends, once all of it is there.
type Chunks = (Vec<Range<usize>>, usize);

/// The length of a whole body as it was received.
pub(super) fn length(body: &[u8]) -> Result<Option<usize>, &'static str> {
    Ok(chunks(body)?.map(|(_, end)| end))
}

/// Moves the contents of a whole body to its beginning, and returns their length.
pub(super) fn join(body: &mut [u8]) -> Result<usize, &'static str> {
    let (chunks, _) = chunks(body)?.ok_or("the body breaks off")?;
    let mut at = 0;
    for chunk in chunks {
        let size = chunk.len();
        body.copy_within(chunk, at);
        at += size;
    }
    Ok(at)
}

fn chunks(body: &[u8]) -> Result<Option<Chunks>, &'static str> {
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = body[at..].windows(2).position(|two| two == b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&body[at..at + line])
            .ok()
            .and_then(|line| usize::from_str_radix(line.split(';').next()?.trim(), 16).ok())
            .ok_or("a chunk without a size")?;
        let begin = at + line + 2;
        let end = begin.checked_add(size).ok_or("a chunk that is too long")?;
        let Some(after) = body.get(end..end + 2) else {
            return Ok(None);
        };
        if after != b"\r\n" {
            return Err("a chunk without an end");
        }
        at = end + 2;
        if size == 0 {
            return Ok(Some((found, at)));
        }
        found.push(begin..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"4\r\n{\"a\"\r\n3;x=y\r\n:1}\r\n0\r\n\r\n";

    #[test]
    fn a_body_ends_with_its_last_chunk() {
        for end in 0..BODY.len() {
            assert_eq!(length(&BODY[..end]), Ok(None), "{end}");
        }
        let more = [BODY, b"HTTP/1.1"].concat();
        assert_eq!(length(&more), Ok(Some(BODY.len())));
    }

    #[test]
    fn chunks_are_joined_in_place() {
        let mut body = BODY.to_vec();
        let length = join(&mut body).unwrap();
        assert_eq!(&body[..length], b"{\"a\":1}");
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for body in [&b"x\r\n"[..], b"1\r\nabcd", b"ffffffffffffffff\r\na\r\n"] {
            assert!(length(body).is_err());
        }
    }
}
