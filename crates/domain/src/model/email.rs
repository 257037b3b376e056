//! E-mail addresses: kept as they were typed, compared by a key.

use super::{
    FieldError,
    characters::{is_hidden, is_invisible},
};
use icu_casemap::CaseMapper;
use idna::AsciiDenyList;
use std::{
    fmt,
    hash::{Hash, Hasher},
};
use unicode_normalization::UnicodeNormalization;

/// An e-mail address as it was typed, in NFC. Two are equal if their [keys](Self::key) are.
#[derive(Clone)]
pub struct EmailAddress {
    typed: String,
    key: String,
}

impl EmailAddress {
    /// The greatest length in bytes (RFC 5321 §4.5.3.1.3, less the angle brackets), also of the key.
    pub const MAX: usize = 254;

    /// Parses `local@domain.tld`, in which everything can be seen; white space around it is dropped.
    ///
    /// # Errors
    /// [`FieldError::InvalidEmail`] or [`FieldError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let typed: String = text.trim().nfc().collect();
        let (local, domain) = parts(&typed)?;
        // UTS 46 judges joiners in domains by their neighbours.
        let hides = local.chars().any(is_invisible)
            || domain
                .chars()
                .any(|c| is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}'));
        let key = key(local, domain).ok_or(FieldError::InvalidEmail)?;
        if hides {
            return Err(FieldError::InvalidEmail);
        }
        Self { typed, key }.fitting()
    }

    /// An address to look for: any that an earlier release took, too.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn present(text: &str) -> Result<Self, FieldError> {
        Self::parse(text).or_else(|refused| {
            let typed: String = text.trim().nfc().collect();
            let former = former(&typed);
            if former.len() > Self::MAX || !is_address(&former) {
                return Err(refused);
            }
            Ok(Self { typed, key: former })
        })
    }

    /// An address that a store has under this key. Without a key of today's form, which accounts of an earlier release may have, it stands for
    /// itself. `typed` is left out if it is the same, and does not count if it belongs to another key.
    ///
    /// # Errors
    /// [`FieldError`] if no release took such a key.
    pub fn stored(key: &str, typed: Option<&str>) -> Result<Self, FieldError> {
        if let Some(address) = typed.and_then(|typed| Self::present(typed).ok())
            && address.key == key
        {
            return Ok(address);
        }
        // Every key that a release took is an address, so that a read of an account parses no more than that.
        if key.len() > Self::MAX || !is_address(key) {
            return Err(FieldError::InvalidEmail);
        }
        Ok(Self {
            typed: key.to_owned(),
            key: key.to_owned(),
        })
    }

    fn fitting(self) -> Result<Self, FieldError> {
        if self.typed.len().max(self.key.len()) > Self::MAX {
            Err(FieldError::TooLong { max: Self::MAX })
        } else {
            Ok(self)
        }
    }

    /// The beginning of an address in the form of keys.
    pub fn key_prefix(text: &str) -> String {
        let text = text.trim();
        match text.rsplit_once('@') {
            Some((local, domain)) => format!("{}@{}", folded(local), folded(domain)),
            None => folded(text),
        }
    }

    /// The address as it was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// What it is compared by: the domain in ASCII by UTS 46; the local part without quotes where it can be, in NFKC and with full case folding.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain that mail for it goes to, in ASCII.
    pub fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The form that releases before keys compared by: NFC in lower case. An account of theirs may be stored under it.
    pub fn former(&self) -> String {
        former(&self.typed)
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

fn parts(typed: &str) -> Result<(&str, &str), FieldError> {
    if typed.len() > EmailAddress::MAX {
        return Err(FieldError::TooLong {
            max: EmailAddress::MAX,
        });
    }
    typed.rsplit_once('@').ok_or(FieldError::InvalidEmail)
}

fn is_address(text: &str) -> bool {
    let options = email_address::Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    !text.chars().any(is_hidden)
        && email_address::EmailAddress::parse_with_options(text, options).is_ok()
}

fn key(local: &str, domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::URL).ok()?;
    // As it was typed it must be one, too: folding makes letters of what may stand in none.
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if !is_address(&format!("{local}@{domain}")) {
        return None;
    }
    let content = folded(&quoted.map_or_else(|| local.to_owned(), unescaped));
    let bare = format!("{content}@{domain}");
    if !content.contains(['"', '@']) && is_address(&bare) {
        return Some(bare);
    }
    let escaped = content.replace('\\', r"\\").replace('"', "\\\"");
    let quoted = format!("\"{escaped}\"@{domain}");
    is_address(&quoted).then_some(quoted)
}

/// The content of a quoted string without the backslashes of its quoted pairs (RFC 5322 §3.2.4).
fn unescaped(quoted: &str) -> String {
    let mut chars = quoted.chars();
    let mut content = String::with_capacity(quoted.len());
    while let Some(c) = chars.next() {
        content.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    content
}

/// NFKC and full case folding, until neither changes anything (Unicode §3.13, D146).
fn folded(text: &str) -> String {
    let mut folded: String = text.nfkc().collect();
    for _ in 0..3 {
        let cased = String::from(CaseMapper::new().fold_string(&folded));
        let next: String = cased.nfkc().collect();
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

fn former(typed: &str) -> String {
    // Once more after the change of case: the two forms of a letter may compose differently.
    typed.nfc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_key_however_it_is_typed() {
        for same in [
            ["ann@example.org", " Ann@Example.ORG "],
            ["ann@bücher.example", "ann@xn--bcher-kva.example"],
            ["ann@bücher.example", "ann@BU\u{308}CHER.example"],
            ["ann@example.org", "ann@ｅｘａｍｐｌｅ.org"],
            ["ann@example.org", "ann@example。org"],
            ["γς@example.org", "ΓΣ@example.org"],
            ["straße@example.org", "STRASSE@example.org"],
            ["ann@example.org", "\"ann\"@example.org"],
            ["ann@example.org", "\"a\\nn\"@example.org"],
            ["ann@example.org", "ａｎｎ@example.org"],
            ["\"a b\"@example.org", "\"A b\"@example.org"],
        ] {
            let [one, other] = same.map(|text| EmailAddress::parse(text).unwrap());
            assert_eq!(one, other, "{same:?}");
            for address in [one, other] {
                let again = EmailAddress::parse(address.key()).unwrap();
                assert_eq!(again.key(), address.key(), "a key is its own key: {same:?}");
            }
        }
        for [one, other] in [
            ["ann@example.org", "bob@example.org"],
            ["ann@straße.example", "ann@strasse.example"],
            ["\"a b\"@example.org", "ab@example.org"],
            ["ırmak@example.org", "irmak@example.org"],
        ] {
            let parse = |text| EmailAddress::parse(text).unwrap();
            assert_ne!(parse(one), parse(other), "{one} {other}");
        }
    }

    #[test]
    fn an_address_is_kept_as_it_was_typed_and_never_reaches_a_log() {
        let address = EmailAddress::parse(" Ann@Bücher.Example ").unwrap();
        assert_eq!(
            (address.as_str(), address.key(), address.former().as_str()),
            (
                "Ann@Bücher.Example",
                "ann@xn--bcher-kva.example",
                "ann@bücher.example"
            )
        );
        assert!(!format!("{address:?}").contains("ann"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "a b@example.org",
            "ann@localhost",
            "Ann <ann@example.org>",
            "a\u{7}@example.org",
            "a\u{202e}nn@example.org",
            "a\u{3164}nn@example.org",
            "a\u{2800}nn@example.org",
            "a\u{ad}nn@example.org",
            "ann@exa\u{ad}mple.org",
            "ann@xn--a.example",
        ] {
            assert_eq!(
                EmailAddress::parse(bad),
                Err(FieldError::InvalidEmail),
                "{bad:?}"
            );
        }
        let long = format!("{}@example.org", "a".repeat(300));
        assert_eq!(
            EmailAddress::parse(&long),
            Err(FieldError::TooLong { max: 254 })
        );
    }

    #[test]
    fn accounts_of_an_earlier_release_are_found_and_read_as_they_are() {
        let hidden = "a\u{3164}nn@example.org";
        assert_eq!(EmailAddress::present(hidden).unwrap().key(), hidden);
        let old = EmailAddress::stored("ann@bücher.example", None).unwrap();
        assert_eq!(
            (old.as_str(), old.key()),
            ("ann@bücher.example", "ann@bücher.example")
        );
        let keyed =
            EmailAddress::stored("ann@xn--bcher-kva.example", Some("Ann@bücher.example")).unwrap();
        assert_eq!(
            (keyed.as_str(), keyed.key()),
            ("Ann@bücher.example", "ann@xn--bcher-kva.example")
        );
        // An older replica has changed the address, and does not know what was typed.
        let changed = EmailAddress::stored("bob@example.org", Some("Ann@bücher.example")).unwrap();
        assert_eq!(changed.as_str(), "bob@example.org");
        assert!(EmailAddress::stored("no address", None).is_err());
    }
}
