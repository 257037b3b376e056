//! The names of buckets: `{limits}:<kind>:<digest>`.

use crate::mac::hmac_sha256;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use revolve_domain::limits::Bucket;
use secrecy::{ExposeSecret, SecretSlice};

/// Names buckets by HMAC-SHA256 under the installation's key, cut to 128 bits. The names do not allow to test guesses of the e-mail address
/// or network that a bucket is for, and installations that share a Redis do not share buckets.
#[derive(Clone, Debug)]
pub struct BucketNames {
    key: SecretSlice<u8>,
}

impl BucketNames {
    /// The key has at least 16 bytes and is the same for all replicas.
    pub const fn new(key: SecretSlice<u8>) -> Self {
        Self { key }
    }

    /// The key in Redis.
    pub fn of(&self, bucket: &Bucket) -> String {
        let mut mac = hmac_sha256(self.key.expose_secret());
        mac.update(bucket.kind().as_bytes());
        mac.update(&[0]);
        mac.update(&bucket.key());
        let digest = mac.finalize().into_bytes();
        format!(
            "{{limits}}:{}:{}",
            bucket.kind(),
            URL_SAFE_NO_PAD.encode(&digest[..16])
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::model::EmailAddress;

    #[test]
    fn a_name_shows_the_kind_and_not_the_owner() {
        let bucket = Bucket::PasswordAccount(EmailAddress::parse("ann@example.org").unwrap());
        let names = |byte: u8| BucketNames::new(vec![byte; 32].into());
        let name = names(1).of(&bucket);
        assert!(
            name.starts_with("{limits}:password-account:")
                && name.len() == "{limits}:password-account:".len() + 22,
            "{name}"
        );
        assert!(!name.contains("ann") && !name.contains("example"), "{name}");
        assert_eq!(name, names(1).of(&bucket));
        assert_ne!(
            name,
            names(2).of(&bucket),
            "another installation has other names"
        );
    }
}
