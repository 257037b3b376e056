//! Which front end a browser's request comes from, by its `Origin`: the pages and scripts of this service's own origin, or scripts of the
//! origins that the operator lists.

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, ORIGIN},
    web::Data,
};
use std::sync::Arc;

/// What browsers say of a request's origin and target (Fetch Metadata). Scripts can't forge it.
const FETCH_SITE: &str = "sec-fetch-site";

/// The origins that are allowed, exactly as browsers send them. A clone is the same list.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<AllowedOrigins>);

#[derive(Debug, Default)]
struct AllowedOrigins {
    own: String,
    listed: Vec<String>,
}

/// The front end that has sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrontEnd<'o> {
    /// The pages, and scripts of the same origin.
    Own,
    /// Scripts of a listed origin.
    Listed(&'o str),
}

impl Origins {
    /// `own`: the issuer's origin. `listed`: those whose scripts may use the API.
    pub fn new(own: String, listed: Vec<String>) -> Self {
        Self(Arc::new(AllowedOrigins { own, listed }))
    }

    /// Those of the composition root.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let registered = request.app_data::<Data<Self>>();
        registered.map_or_else(Self::default, |origins| Self::clone(origins))
    }

    /// Those whose scripts may use the API.
    pub(crate) fn listed(&self) -> &[String] {
        &self.0.listed
    }

    /// The service's own, as browsers send it.
    pub(crate) fn own(&self) -> &str {
        &self.0.own
    }

    /// Whether a page of this service, or a script of its origin, has sent a request. Pages send no referrer, and browsers then send `null` as
    /// the origin of a form (Fetch Standard, "append a request `Origin` header"): then `Sec-Fetch-Site` decides, as it does without an origin.
    pub(crate) fn is_own(&self, headers: &HeaderMap) -> bool {
        match headers.get(ORIGIN) {
            Some(sent) if sent != "null" => !sent.is_empty() && sent == self.own(),
            _ => site(headers) == Some(b"same-origin"),
        }
    }

    /// Who has sent a request that a cookie authenticates, or that sets one; `None` for anybody whom no cookie is for. A listed origin of another
    /// site is among these: browsers keep and send `SameSite=Strict` cookies within the site only.
    pub(crate) fn front_end(&self, headers: &HeaderMap) -> Option<FrontEnd<'_>> {
        if self.is_own(headers) {
            return Some(FrontEnd::Own);
        }
        let sent = headers.get(ORIGIN)?;
        let listed = self.listed().iter().find(|listed| sent == listed.as_str());
        let listed = listed.filter(|_| site(headers) != Some(b"cross-site"));
        listed.map(|listed| FrontEnd::Listed(listed))
    }
}

fn site(headers: &HeaderMap) -> Option<&[u8]> {
    Some(headers.get(FETCH_SITE)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    const OWN: &str = "https://accounts.example.org";
    const SHOP: &str = "https://shop.example.org";

    fn sent(origin: Option<&'static str>, site: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("origin", origin), (FETCH_SITE, site)] {
            if let Some(value) = value {
                let value = HeaderValue::from_static(value);
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }

    #[test]
    fn the_own_origin_is_told_from_all_others() {
        let origins = Origins::new(OWN.to_owned(), vec![SHOP.to_owned()]);
        for (origin, site) in [
            (Some(OWN), None),
            (Some(OWN), Some("same-origin")),
            (Some("null"), Some("same-origin")),
            (None, Some("same-origin")),
        ] {
            assert!(origins.is_own(&sent(origin, site)), "{origin:?} {site:?}");
            assert_eq!(origins.front_end(&sent(origin, site)), Some(FrontEnd::Own));
        }
        let sites = [None, Some("same-site"), Some("cross-site"), Some("none")];
        for (origin, site) in [None, Some("null")]
            .into_iter()
            .flat_map(|origin| sites.map(|site| (origin, site)))
        {
            let headers = sent(origin, site);
            assert!(!origins.is_own(&headers), "{origin:?} {site:?}");
            assert_eq!(origins.front_end(&headers), None, "{origin:?} {site:?}");
        }
        for origin in [
            "https://evil.example",
            "https://app.example.org",
            "http://accounts.example.org",
            "https://accounts.example.org:8443",
            "https://accounts.example.org.evil.example",
            "https://shop.example.org.evil.example",
            "https://shop.example.org/",
            "https://SHOP.example.org",
            "",
        ] {
            for site in [None, Some("same-origin"), Some("same-site")] {
                let headers = sent(Some(origin), site);
                assert!(!origins.is_own(&headers), "{origin} {site:?}");
                assert_eq!(origins.front_end(&headers), None, "{origin} {site:?}");
            }
        }
    }

    #[test]
    fn a_listed_origin_is_a_front_end_of_its_own_within_the_site() {
        let origins = Origins::new(OWN.to_owned(), vec![SHOP.to_owned()]);
        for site in [None, Some("same-site")] {
            let headers = sent(Some(SHOP), site);
            assert_eq!(
                origins.front_end(&headers),
                Some(FrontEnd::Listed(SHOP)),
                "{site:?}"
            );
            assert!(!origins.is_own(&headers), "{site:?}");
        }
        let elsewhere = sent(Some(SHOP), Some("cross-site"));
        assert_eq!(origins.front_end(&elsewhere), None);
        let unlisted = Origins::new(OWN.to_owned(), Vec::new());
        let headers = sent(Some(SHOP), Some("same-site"));
        assert_eq!(unlisted.front_end(&headers), None);
    }

    #[test]
    fn nobody_is_ours_where_nothing_is_registered() {
        for origin in [None, Some("null"), Some(""), Some(OWN)] {
            let headers = sent(origin, None);
            assert_eq!(Origins::default().front_end(&headers), None, "{origin:?}");
        }
    }
}
