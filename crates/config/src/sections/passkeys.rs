//! `[passkeys]`: for which domain passkeys are made, and where they may be used.

use super::{Rule, http::is_origin};
use crate::Config;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

/// What an app for Android names as its origin begins with; the SHA-256 of its signing certificate follows.
const ANDROID: &str = "android:apk-key-hash:";
/// The number of characters of a SHA-256 in base64url without padding.
const HASH: usize = 43;

/// `[passkeys]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passkeys {
    /// The domain that passkeys are made for (RP id): the host of `tokens.issuer`, or a domain above it, so that other hosts below that can use
    /// them, too; the host. Passkeys that were made for another one are lost. Browsers refuse a public suffix such as `co.uk`.
    #[schemars(extend("examples" = ["example.org"]))]
    pub rp_id: Option<String>,
    /// Origins that passkeys may be used at, besides that of `tokens.issuer` and `http.cors_origins`; none by default. In the form of
    /// `http.cors_origins`, or `android:apk-key-hash:` and the SHA-256 of an app's signing certificate in base64url.
    pub origins: Vec<String>,
}

impl Config {
    /// The domain that passkeys are made for.
    pub fn rp_id(&self) -> String {
        let host = || self.issuer_host().unwrap_or_default();
        self.passkeys.rp_id.clone().unwrap_or_else(host)
    }

    /// Every origin that passkeys may be used at, each once.
    pub fn passkey_origins(&self) -> Vec<String> {
        let listed = self.http.cors_origins.iter().chain(&self.passkeys.origins);
        let mut origins = vec![self.tokens.origin()];
        for origin in listed {
            if !origins.contains(origin) {
                origins.push(origin.clone());
            }
        }
        origins
    }

    fn issuer_host(&self) -> Option<String> {
        let issuer = Url::parse(&self.tokens.issuer).ok()?;
        issuer.host_str().map(str::to_owned)
    }

    /// What types alone can't say of `[passkeys]`.
    pub(crate) fn passkey_rules(&self) -> Vec<Rule> {
        let host = self.issuer_host();
        let is_of_host = |id: &String| host.as_ref().is_some_and(|host| is_suffix(id, host));
        let is_known = |origin: &String| is_origin(origin) || is_android(origin);
        vec![
            (
                self.passkeys.rp_id.as_ref().is_none_or(is_of_host),
                "passkeys.rp_id: must be the host of tokens.issuer, or a domain above it such as example.org for accounts.example.org",
            ),
            (
                self.passkeys.origins.iter().all(is_known),
                "passkeys.origins: each must be an origin such as https://app.example.org, without a path or a slash at its end, or \
                 android:apk-key-hash: and 43 characters of base64url",
            ),
        ]
    }
}

/// Whether a domain is the host or above it (HTML, "is a registrable domain suffix of or is equal to"). Which suffixes are public only browsers know.
fn is_suffix(id: &str, host: &str) -> bool {
    if id == host {
        return true;
    }
    let above = host.strip_suffix(id);
    let is_above = above.is_some_and(|below| below.len() > 1 && below.ends_with('.'));
    let is_domain = matches!(Host::parse(host), Ok(Host::Domain(_)));
    is_above && is_domain && id.contains('.') && !id.starts_with('.') && !id.ends_with('.')
}

fn is_android(origin: &str) -> bool {
    origin.strip_prefix(ANDROID).is_some_and(|hash| {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        hash.len() == HASH && hash.bytes().all(is_base64url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "tokens.issuer = 'https://accounts.example.org:8443/auth'\n";

    #[test]
    fn the_domain_is_that_of_the_issuer_or_above_it() {
        let id = |more: &str| {
            let config = Config::from_toml(&format!("{ISSUER}{more}"));
            config.map(|config| config.rp_id())
        };
        assert_eq!(id("").unwrap(), "accounts.example.org");
        for good in ["accounts.example.org", "example.org"] {
            assert_eq!(id(&format!("passkeys.rp_id = '{good}'")).unwrap(), good);
        }
        for bad in [
            "",
            "org",
            ".org",
            ".example.org",
            "example.org.",
            "xample.org",
            "other.example.org",
            "a.accounts.example.org",
            "Example.org",
            "https://example.org",
            "example.org:8443",
        ] {
            let error = id(&format!("passkeys.rp_id = '{bad}'")).unwrap_err();
            assert!(
                error.to_string().contains("passkeys.rp_id"),
                "{bad}: {error}"
            );
        }
        assert!(!is_suffix("0.0.1", "127.0.0.1"));
        let local = Config::from_toml("passkeys.rp_id = 'localhost'").unwrap();
        assert_eq!(local.rp_id(), "localhost");
    }

    #[test]
    fn origins_are_those_of_front_ends_and_of_apps() {
        let app = format!("{ANDROID}{}", "aB3_-".repeat(9).get(..HASH).unwrap());
        let config = Config::from_toml(&format!(
            "{ISSUER}http.cors_origins = ['https://shop.example.org']\n\
             passkeys.origins = ['{app}', 'https://shop.example.org', 'https://app.example.org']"
        ));
        assert_eq!(
            config.unwrap().passkey_origins(),
            [
                "https://accounts.example.org:8443",
                "https://shop.example.org",
                &app,
                "https://app.example.org"
            ]
        );
        for bad in [
            "*",
            "https://app.example.org/",
            "android:apk-key-hash:",
            "android:apk-key-hash:x",
            "ios:bundle-id:org.example",
            &format!("{app}A"),
            &app.replace('_', "/"),
        ] {
            let error = Config::from_toml(&format!("passkeys.origins = ['{bad}']")).unwrap_err();
            assert!(error.to_string().contains("passkeys.origins"), "{bad}");
        }
    }
}
