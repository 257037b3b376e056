//! The one key in a PEM text (RFC 7468). Programs write more around it: attributes, parameters of curves, certificates, blank lines.

/// Why there is not one key in a text. Names kinds of blocks and never what is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PemFault {
    #[error("it is not PEM: no line begins with -----BEGIN")]
    NoPem,
    #[error("it has no {wanted}, but {}", found.join(", "))]
    NoKey {
        wanted: &'static str,
        found: Vec<String>,
    },
    #[error("it has {0} keys, and it is not certain which one is meant")]
    SeveralKeys(usize),
    #[error("the key has a passphrase; write it without one: openssl pkey -in FILE -out NEW")]
    Encrypted,
    #[error(
        "the key is in the form of OpenSSH; write it as PKCS #8: ssh-keygen -p -m PKCS8 -f FILE"
    )]
    OpenSsh,
    #[error("the block {0} does not end")]
    Unfinished(String),
}

/// The block of the one private key.
pub(crate) fn private_key(text: &str) -> Result<&str, PemFault> {
    key(text, "private key", |label| label.ends_with("PRIVATE KEY"))
}

/// The block of the one private key, or else of the one public key.
#[cfg(feature = "jose")]
pub(crate) fn any_key(text: &str) -> Result<&str, PemFault> {
    match private_key(text) {
        Err(PemFault::NoKey { .. }) => key(text, "key", |label| label == "PUBLIC KEY"),
        found => found,
    }
}

fn key<'t>(
    text: &'t str,
    wanted: &'static str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<&'t str, PemFault> {
    let blocks = blocks(text)?;
    let keys: Vec<_> = blocks
        .iter()
        .filter(|(label, _)| is_wanted(label))
        .collect();
    match keys[..] {
        [] if blocks.is_empty() => Err(PemFault::NoPem),
        [] => Err(PemFault::NoKey {
            wanted,
            found: blocks
                .iter()
                .map(|(label, _)| (*label).to_owned())
                .collect(),
        }),
        [("OPENSSH PRIVATE KEY", _)] => Err(PemFault::OpenSsh),
        // The older form says it in a header (RFC 1421 §4.6.1.1).
        [(label, block)] if label.starts_with("ENCRYPTED") || block.contains("Proc-Type:") => {
            Err(PemFault::Encrypted)
        }
        [(_, block)] => Ok(block),
        _ => Err(PemFault::SeveralKeys(keys.len())),
    }
}

/// Label and text of each block, from its `-----BEGIN` to the end of its last line.
fn blocks(text: &str) -> Result<Vec<(&str, &str)>, PemFault> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let (mut blocks, mut rest) = (Vec::new(), text);
    let mut at_line_start = true;
    while let Some(start) = rest.find(BEGIN) {
        let block = &rest[start..];
        let begins = if start == 0 {
            at_line_start
        } else {
            rest[..start].ends_with(['\n', '\r', '\u{feff}'])
        };
        let line = block[BEGIN.len()..].lines().next().unwrap_or_default();
        let label = line.trim_end().strip_suffix(DASHES).filter(|_| begins);
        let Some(label) = label else {
            rest = &block[BEGIN.len()..];
            at_line_start = false;
            continue;
        };
        let end = format!("-----END {label}-----");
        let length = block
            .find(&end)
            .ok_or_else(|| PemFault::Unfinished(label.to_owned()))?
            + end.len();
        blocks.push((label, &block[..length]));
        rest = &block[length..];
        at_line_start = false;
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn a_key_is_found_among_what_else_programs_write() {
        for text in [
            KEY.to_owned(),
            format!("\u{feff}\r\n  \n{KEY}\r\n\n \n"),
            format!(
                "Bag Attributes\n    friendlyName: -----\nKey Attributes: <No Attributes>\n{KEY}\n"
            ),
            format!("{CERTIFICATE}{KEY}\n{CERTIFICATE}"),
            format!("-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n{KEY}"),
            format!("{PUBLIC}\n{KEY}"),
        ] {
            assert_eq!(private_key(&text), Ok(KEY), "{text}");
        }
        assert_eq!(
            private_key(&KEY.replace('\n', "\r\n")),
            Ok(&*KEY.replace('\n', "\r\n"))
        );
        #[cfg(feature = "jose")]
        {
            assert_eq!(any_key(&format!("{CERTIFICATE}{PUBLIC}\n\n")), Ok(PUBLIC));
            assert_eq!(any_key(&format!("{PUBLIC}\n{KEY}")), Ok(KEY));
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let said = |text: &str| private_key(text).unwrap_err().to_string();
        for (text, words) in [
            ("nonsense".to_owned(), "not PEM"),
            (format!("Key: {KEY}"), "not PEM"),
            (String::new(), "not PEM"),
            (CERTIFICATE.to_owned(), "no private key, but CERTIFICATE"),
            (PUBLIC.to_owned(), "no private key, but PUBLIC KEY"),
            (format!("{KEY}\n{KEY}"), "2 keys"),
            (KEY.replace("PRIVATE", "ENCRYPTED PRIVATE"), "passphrase"),
            (
                KEY.replace("AAAA", "Proc-Type: 4,ENCRYPTED\n\nAAAA"),
                "passphrase",
            ),
            (KEY.replace("PRIVATE", "OPENSSH PRIVATE"), "ssh-keygen"),
            (KEY[..40].to_owned(), "does not end"),
        ] {
            let said = said(&text);
            assert!(
                said.contains(words) && !said.contains("AAAA"),
                "{text}: {said}"
            );
        }
    }
}
