//! URLs that browsers may show.

use super::{FieldError, characters::is_hidden, hosts};
use url::Url;

/// An absolute `http` or `https` URL of at most 2048 characters: no scheme that a browser executes, and no user name or
/// password, which readers could take for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The greatest number of characters.
    pub const MAX: usize = 2048;

    /// Parses and normalises a URL (WHATWG URL standard).
    ///
    /// # Errors
    /// [`FieldError::TooLong`], [`FieldError::ControlCharacters`] or [`FieldError::InvalidUrl`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let too_long = FieldError::TooLong { max: Self::MAX };
        if text.len() > Self::MAX {
            return Err(too_long);
        }
        if text.chars().any(is_hidden) {
            return Err(FieldError::ControlCharacters);
        }
        let url = Url::parse(text.trim()).map_err(|_| FieldError::InvalidUrl)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || has_user {
            return Err(FieldError::InvalidUrl);
        }
        // Normalising escapes characters, which makes them longer.
        let url = String::from(url);
        if url.len() > Self::MAX {
            Err(too_long)
        } else {
            Ok(Self(url))
        }
    }

    /// Parses a URL that others' browsers and services load: its host is not this machine and not in a private network, however it is
    /// written. A public name may still lead to a private address.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`FieldError::PrivateHost`].
    pub fn parse_public(text: &str) -> Result<Self, FieldError> {
        let url = Self::parse(text)?;
        let parsed = Url::parse(url.as_str()).map_err(|_| FieldError::InvalidUrl)?;
        if hosts::is_public(parsed.host().as_ref()) {
            Ok(url)
        } else {
            Err(FieldError::PrivateHost)
        }
    }

    /// The normalised URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_urls_are_http_only() {
        assert_eq!(
            WebUrl::parse("https://example.org").unwrap().as_str(),
            "https://example.org/"
        );
        for bad in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://example.org/x",
            "file:///etc/passwd",
            "//example.org",
            "example.org",
            "ftp://example.org",
            "https://",
            "https://ann@example.org",
            "https://ann:secret@example.org",
            "https://:secret@example.org",
            "",
        ] {
            assert_eq!(WebUrl::parse(bad), Err(FieldError::InvalidUrl), "{bad:?}");
        }
        for bad in [
            "java\nscript:alert(1)",
            "https://example.org/\u{202e}gpj",
            "https://exam\u{0}ple.org",
        ] {
            assert_eq!(
                WebUrl::parse(bad),
                Err(FieldError::ControlCharacters),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_picture_is_on_a_public_host() {
        for private in [
            "http://localhost/a",
            "http://LOCALHOST./a",
            "http://a.localhost/a",
            "http://printer/a",
            "http://nas.local/a",
            "http://db.internal/a",
            "http://router.home.arpa/a",
            "http://127.0.0.1/a",
            "http://2130706433/a",
            "http://0x7f.1/a",
            "http://017700000001/a",
            "http://127.1/a",
            "http://0/a",
            "http://10.1.2.3/a",
            "http://172.16.0.1/a",
            "http://192.168.0.1/a",
            "http://169.254.169.254/a",
            "http://100.64.0.1/a",
            "http://224.0.0.1/a",
            "http://255.255.255.255/a",
            "http://１２７.０.０.１/a",
            "http://[::1]/a",
            "http://[::]/a",
            "http://[::ffff:127.0.0.1]/a",
            "http://[::127.0.0.1]/a",
            "http://[fe80::1]/a",
            "http://[fd00::1]/a",
            "http://[64:ff9b::a00:1]/a",
            "http://[2002:7f00:1::]/a",
            "http://[ff02::1]/a",
            "http://[fec0::1]/a",
        ] {
            assert_eq!(
                WebUrl::parse_public(private),
                Err(FieldError::PrivateHost),
                "{private}"
            );
            assert!(
                WebUrl::parse(private).is_ok(),
                "{private}: stored ones stay readable"
            );
        }
        for public in [
            "https://example.org/a",
            "https://bücher.example/a",
            "http://8.8.8.8/a",
            "http://172.32.0.1/a",
            "http://[2606:4700::1111]/a",
            "https://localhost.example.org/a",
            "https://example.org./a",
        ] {
            assert!(WebUrl::parse_public(public).is_ok(), "{public}");
        }
    }
}
