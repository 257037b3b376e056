//! Texts by which other systems say what a hash is, in the spelling that is kept here: Django's, passlib's, LDAP's, and Kratos's where they
//! are named.

use super::{
    bcrypt::OF_SHA256,
    demand::UnusableHash,
    digest::{DigestName, PasswordEncoding, SaltUse},
    firebase::FirebaseParameters,
    foreign::ForeignHash,
    phc::{BASE64, Phc, decimal},
};
use base16ct::mixed;
use base64::Engine;
use revolve_domain::model::PasswordHash;

/// Reads a text in one spelling; `None` if there is a mistake in it.
type Reader = fn(&str) -> Option<String>;

/// How a text begins, what it is a hash of, and its reader.
const SPELLINGS: [(&str, &str, Reader); 8] = [
    ("pbkdf2_", "pbkdf2", django_pbkdf2),
    ("$pbkdf2$", "pbkdf2", passlib_pbkdf2),
    ("argon2$", "argon2", django_argon2),
    ("bcrypt$", "bcrypt", django_bcrypt),
    ("bcrypt_sha256$", "bcrypt", django_bcrypt_sha256),
    ("scrypt$", "scrypt", django_scrypt),
    ("md5$", "digest", django_digest),
    ("sha1$", "digest", django_digest),
];
/// The same for Kratos.
const OF_KRATOS: [(&str, &str, Reader); 7] = [
    ("$scrypt$", "scrypt", kratos_scrypt),
    ("$firescrypt$", "scrypt", kratos_firebase),
    ("$hmac-", "digest", kratos_hmac),
    ("$md5$", "digest", kratos_digest),
    ("$sha1$", "digest", kratos_digest),
    ("$sha256$", "digest", kratos_digest),
    ("$sha512$", "digest", kratos_digest),
];

/// The text as it is kept, if it is one of another system; `None` if it is in none of these spellings.
pub(crate) fn respell(text: &str) -> Option<Result<String, UnusableHash>> {
    if text.starts_with('{') {
        return ldap(text);
    }
    if is_passlib_pbkdf2(text) {
        return Some(passlib_pbkdf2(text).ok_or(UnusableHash::Malformed("pbkdf2")));
    }
    read(&SPELLINGS, text)
}

/// A hash as Kratos writes it. Its scrypt has N where the format has the binary logarithm of N, its HMAC is of hexadecimal digits, and its
/// digests say by a template where the salt goes. What is written as everywhere else stays as it is.
///
/// # Errors
/// [`UnusableHash::Malformed`].
pub fn from_kratos(hash: PasswordHash) -> Result<PasswordHash, UnusableHash> {
    match read(&OF_KRATOS, hash.expose()) {
        Some(text) => text.map(PasswordHash::from_phc),
        None => Ok(hash),
    }
}

fn read(
    spellings: &[(&str, &'static str, Reader)],
    text: &str,
) -> Option<Result<String, UnusableHash>> {
    let mut spellings = spellings.iter();
    let (_, name, read) = spellings.find(|(head, ..)| text.starts_with(head))?;
    Some(read(text).ok_or(UnusableHash::Malformed(name)))
}

/// The fields between `$`, if there are so many.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

/// `pbkdf2_sha256$iterations$salt$base64`; the salt is its own text.
fn django_pbkdf2(text: &str) -> Option<String> {
    let [name, iterations, salt, hash] = fields(text)?;
    let digest = DigestName::named(name.strip_prefix("pbkdf2_")?)?;
    let iterations = decimal(iterations)?;
    ForeignHash::Pbkdf2 { digest, iterations }.text(salt.as_bytes(), &BASE64.decode(hash).ok()?)
}

/// `argon2$argon2id$v=19$…`
fn django_argon2(text: &str) -> Option<String> {
    text.strip_prefix("argon2").map(str::to_owned)
}

/// `bcrypt$$2b$…`
fn django_bcrypt(text: &str) -> Option<String> {
    text.strip_prefix("bcrypt$").map(str::to_owned)
}

/// `bcrypt_sha256$$2b$…`
fn django_bcrypt_sha256(text: &str) -> Option<String> {
    let bcrypt = text.strip_prefix("bcrypt_sha256$")?;
    Some(format!("{OF_SHA256}{bcrypt}"))
}

/// `scrypt$N$salt$r$p$base64`; the salt is its own text.
fn django_scrypt(text: &str) -> Option<String> {
    let [_, n, salt, r, p, hash] = fields(text)?;
    let (n, r, p) = (decimal(n)?.into(), decimal(r)?, decimal(p)?);
    ForeignHash::Scrypt { n, r, p }.text(salt.as_bytes(), &BASE64.decode(hash).ok()?)
}

/// `md5$salt$hex`; the salt is its own text, and may be empty.
fn django_digest(text: &str) -> Option<String> {
    let [name, salt, hash] = fields(text)?;
    let hash = mixed::decode_vec(hash).ok()?;
    plain(DigestName::named(name)?, SaltUse::Prefix).text(salt.as_bytes(), &hash)
}

/// passlib has the number where the PHC format has parameters.
fn is_passlib_pbkdf2(text: &str) -> bool {
    let parameters = text.split('$').nth(2);
    text.starts_with("$pbkdf2-") && parameters.and_then(decimal).is_some()
}

/// `$pbkdf2-sha256$iterations$salt$hash`, and `$pbkdf2$…` for SHA-1, in base64 with `.` for `+`.
fn passlib_pbkdf2(text: &str) -> Option<String> {
    let [_, name, iterations, salt, hash] = fields(text)?;
    let digest = match name {
        "pbkdf2" => DigestName::Sha1,
        name => DigestName::named(name.strip_prefix("pbkdf2-")?)?,
    };
    let iterations = decimal(iterations)?;
    let decode = |text: &str| BASE64.decode(text.replace('.', "+")).ok();
    ForeignHash::Pbkdf2 { digest, iterations }.text(&decode(salt)?, &decode(hash)?)
}

/// RFC 2307 §5.3 with the schemes of OpenLDAP: `{SSHA}base64(hash, salt)`. `{CRYPT}` is whatever a machine's C library made of it.
fn ldap(text: &str) -> Option<Result<String, UnusableHash>> {
    let (scheme, encoded) = text.strip_prefix('{')?.split_once('}')?;
    let scheme = scheme.to_ascii_lowercase();
    let digest = |name: &str| match name {
        "sha" => Some(DigestName::Sha1),
        name => DigestName::named(&name.replace('-', "")),
    };
    let (digest, salted) = match digest(&scheme) {
        Some(digest) => (digest, false),
        None => (digest(scheme.strip_prefix('s')?)?, true),
    };
    let read = || {
        let bytes = BASE64.decode(encoded).ok()?;
        let (hash, salt) = bytes.split_at_checked(digest.bytes())?;
        (salted || salt.is_empty()).then_some(())?;
        plain(digest, SaltUse::Suffix).text(salt, hash)
    };
    Some(read().ok_or(UnusableHash::Malformed("LDAP")))
}

/// `$scrypt$ln=N,r=…,p=…$salt$hash`
fn kratos_scrypt(text: &str) -> Option<String> {
    let phc = Phc::parse(text)?;
    let [n, r, p] = phc.numbers(["ln", "r", "p"])?;
    let n = n.into();
    ForeignHash::Scrypt { n, r, p }.text(&phc.salt, &phc.hash)
}

/// `$firescrypt$ln=…,r=…,p=…$salt$hash$separator$key`, where `ln` is the logarithm.
fn kratos_firebase(text: &str) -> Option<String> {
    let (rest, signer_key) = text.rsplit_once('$')?;
    let (rest, separator) = rest.rsplit_once('$')?;
    let phc = Phc::parse(rest)?;
    let [log_n, r, p] = phc.numbers(["ln", "r", "p"])?;
    let parameters = FirebaseParameters {
        log_n,
        r,
        p,
        salt_separator: BASE64.decode(separator).ok()?,
        signer_key: BASE64.decode(signer_key).ok()?,
    };
    ForeignHash::Firebase(&parameters).text(&phc.salt, &phc.hash)
}

/// `$hmac-sha256$base64(hex(hash))$base64(key)`
fn kratos_hmac(text: &str) -> Option<String> {
    let [_, name, hash, key] = fields(text)?;
    let digest = DigestName::named(name.strip_prefix("hmac-")?)?;
    let hash = mixed::decode_vec(BASE64.decode(hash).ok()?).ok()?;
    plain(digest, SaltUse::Key).text(&BASE64.decode(key).ok()?, &hash)
}

/// `$md5$hash`, or `$sha256$pf=base64(template)$salt$hash`, in which salt and password stand side by side.
fn kratos_digest(text: &str) -> Option<String> {
    if let Some([_, name, hash]) = fields(text) {
        return plain(DigestName::named(name)?, SaltUse::Prefix)
            .text(&[], &BASE64.decode(hash).ok()?);
    }
    let [_, name, template, salt, hash] = fields(text)?;
    let template = BASE64.decode(template.strip_prefix("pf=")?).ok()?;
    let salt_use = match template.as_slice() {
        b"{SALT}{PASSWORD}" => SaltUse::Prefix,
        b"{PASSWORD}{SALT}" => SaltUse::Suffix,
        _ => return None,
    };
    let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
    plain(DigestName::named(name)?, salt_use).text(&salt, &hash)
}

const fn plain(digest: DigestName, salt_use: SaltUse) -> ForeignHash<'static> {
    ForeignHash::Digest {
        digest,
        encoding: PasswordEncoding::Utf8,
        salt_use,
    }
}
