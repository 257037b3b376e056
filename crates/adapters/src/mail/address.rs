//! Addresses as SMTP has them: the domain in ASCII (RFC 5890 §2.3.2.1), since every server takes that, the local part as it was typed.

use lettre::{Address, message::Mailbox};

/// A text is no address that mail can be sent to or from. Does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no address that mail can be sent to")]
pub struct AddressError;

/// The address of a mailbox.
pub(super) fn address(text: &str) -> Result<Address, AddressError> {
    // Neither in an envelope nor in a header may a line end.
    if text.chars().any(char::is_control) {
        return Err(AddressError);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(AddressError)?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| AddressError)?;
    Address::new(local, domain).map_err(|_| AddressError)
}

/// A mailbox with or without a name: `Example <accounts@example.org>`.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, AddressError> {
    let text = text.trim();
    let (name, bare) = match text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
    {
        Some((name, bare)) => (Some(name.trim().trim_matches('"').trim()), bare),
        None => (None, text),
    };
    if name.is_some_and(|name| name.chars().any(char::is_control)) {
        return Err(AddressError);
    }
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Mailbox::new(name, address(bare)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_sent_in_ascii_and_a_local_part_as_it_is() {
        for (typed, sent) in [
            ("Ann@Bücher.example", "Ann@xn--bcher-kva.example"),
            ("änn@example.org", "änn@example.org"),
            ("\"a b\"@example.org", "\"a b\"@example.org"),
            ("accounts@localhost", "accounts@localhost"),
        ] {
            assert_eq!(address(typed).unwrap().to_string(), sent);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "a b@example.org",
            "ann@exa mple.org",
            "ann@example.org>",
            "ann@example.org\r\nRCPT TO:<bob@example.org>",
            "\"a\r\nb\"@example.org",
        ] {
            assert_eq!(address(text), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn a_mailbox_may_have_a_name() {
        let read = |text: &str| {
            let mailbox = mailbox(text).unwrap();
            (mailbox.name, mailbox.email.to_string())
        };
        let address = "accounts@example.org".to_owned();
        let named = (Some("Example, Inc.".to_owned()), address.clone());
        assert_eq!(read("accounts@example.org"), (None, address.clone()));
        assert_eq!(read("<accounts@example.org>"), (None, address));
        assert_eq!(read("Example, Inc. <accounts@example.org>"), named);
        assert_eq!(read(" \"Example, Inc.\" <accounts@example.org> "), named);
        assert!(mailbox("Example\r\nBcc: <accounts@example.org>").is_err());
    }
}
