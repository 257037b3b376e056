//! Files as other programs write them.

use super::{CertificateError, parse};
use time::macros::datetime;

/// For example.org, by `openssl req -x509`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUdp0KornJMx8w7Bc06V/bvTevI7kwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZXhhbXBsZS5vcmcwIBcNMjYxMTMwMTAxMjIxWhgPMjEyNjEx
MDYxMDEyMjFaMBYxFDASBgNVBAMMC2V4YW1wbGUub3JnMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEiAPTuyQKGlFr8Y3jp452Ofda3le/8OLILJEvTBoc6ssXzX0k
vaGlQUOEFWHFrG4vh0S5iEnMZl/i+0t5MJvuwaNrMGkwHQYDVR0OBBYEFHrCc0ks
Vb49LwMeQ4/qA3fPuEp5MB8GA1UdIwQYMBaAFHrCc0ksVb49LwMeQ4/qA3fPuEp5
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILZXhhbXBsZS5vcmcwCgYIKoZI
zj0EAwIDRwAwRAIgbjlWCiVQUS+jaAa2AJTzQbZz5P4g7Q1LzgeF5ksxznkCIE7J
ZACgx6jKG9k7NjnriQg0rL562lDR5UdBcpwrTriU
-----END CERTIFICATE-----
";

/// What `openssl ecparam -genkey` writes before the key.
const PARAMETERS: &str = "\
-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
";

/// The key of that certificate (RFC 5915), which is for nothing else.
const KEY: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIN2E6E4ngap0VAICUGnjizmIL6d7VdbdsKAwsetJdmA7oAoGCCqGSM49
AwEHoUQDQgAEiAPTuyQKGlFr8Y3jp452Ofda3le/8OLILJEvTBoc6ssXzX0kvaGl
QUOEFWHFrG4vh0S5iEnMZl/i+0t5MJvuwQ==
-----END EC PRIVATE KEY-----
";

/// The same by `openssl pkcs8 -topk8`.
const ENCRYPTED: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAihPtopy+3+gQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAJLEp6SZ/OQZa8wqva5jT8EgZBv
+W674Cfq0/emD8yo8pdq70BcdaodDkom5vCVt/WA+xwoLwkz9qBKRaOcpdtutoUR
btjo3IqdSKp2HakQUwX0Hmm1Q09zVeoEh1XE2kN3WESOU5V9YY9c9NDL91DAts3e
Ac2YZWFI0OLpxfp3Nlr4rDEFw/PNuWNEk62Y6GVZfdHOveSiBXf+9ZbFr7gCOaw=
-----END ENCRYPTED PRIVATE KEY-----
";

/// The same by `openssl ec -aes256`.
const OLD_ENCRYPTED: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,2F90CBD41980B61F47AA761AAC3A242A

pzw2VgsaIGiG/szrosSuD2O0w7/fbz1UlLbgyhXmNUp4KH1V5LcfVLCSmWDNyDiZ
HnH2rLfYTnm0rLAYeSybFPY+5gfNJ32sRSjxDz66n/sLoRNj2G7vGVT9qe9J+TaZ
f5ULQWS4OzAByNkZb6mjM3zRNMlRIsAo6s/pLWv8imM=
-----END EC PRIVATE KEY-----
";

/// What `openssl pkcs12` writes before each block.
const ATTRIBUTES: &str = "\
Bag Attributes
    friendlyName: example.org
    localKeyID: 36 27 BE 04 61 39 DB 64 0F 14 60 2B 19 99 54 1E 3C 39 E0 B9\x20
subject=CN = example.org
issuer=CN = example.org
Key Attributes: <No Attributes>
";

fn read(certificate: &str, key: &str) -> Result<usize, CertificateError> {
    let files = [certificate.into(), key.into()];
    let pair = parse(&files, datetime!(2030-01-01 00:00 UTC))?;
    Ok(pair.cert.len())
}

#[test]
fn a_key_is_found_behind_parameters_attributes_and_the_chain() {
    let described = format!("{ATTRIBUTES}{CERTIFICATE}");
    let both = format!("{ATTRIBUTES}{KEY}{ATTRIBUTES}{CERTIFICATE}{CERTIFICATE}");
    for (certificate, key, chain) in [
        (CERTIFICATE, KEY.to_owned(), 1),
        (CERTIFICATE, format!("{PARAMETERS}{KEY}"), 1),
        (CERTIFICATE, KEY.replace('\n', "\r\n"), 1),
        (&*described, format!("{ATTRIBUTES}{PARAMETERS}{KEY}"), 1),
        (CERTIFICATE, format!("{CERTIFICATE}{CERTIFICATE}{KEY}"), 1),
        (&*both, both.clone(), 2),
    ] {
        let found = read(certificate, &key);
        assert!(
            matches!(found, Ok(found) if found == chain),
            "{key}: {found:?}"
        );
    }
}

#[test]
fn a_file_without_a_key_that_can_be_used_is_refused_in_words_that_help() {
    let damaged = KEY.replace("MHcC", "M!cC");
    for (key, expected) in [
        ("", "has no private key in PEM"),
        (CERTIFICATE, "has no private key in PEM"),
        (PARAMETERS, "has no private key in PEM"),
        (ENCRYPTED, "its private key has a passphrase"),
        (OLD_ENCRYPTED, "its private key has a passphrase"),
        (
            &*format!("{CERTIFICATE}{ENCRYPTED}"),
            "its private key has a passphrase",
        ),
        (&*damaged, "is not PEM"),
    ] {
        let said = read(CERTIFICATE, key).unwrap_err().to_string();
        let expected = format!("http.tls.private_key_file: {expected}");
        assert!(said.starts_with(&expected), "{key}: {said}");
    }
}
