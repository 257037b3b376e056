//! The robot: a scanner of mails with a browser of its own, without cookies. It asks for every link by HEAD and GET, follows where they lead, and
//! clicks every button that it finds.

use std::collections::{HashSet, VecDeque};

use anyhow::Result;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, SET_COOKIE};
use url::{Position, Url};

use super::{
    html::{Form, Page, Submission},
    received::Mail,
};
use crate::attack::findings::Findings;
use crate::harness::http::{HttpClient, Request, Response};

/// Pages behind the one that a link leads to.
const DEPTH: u32 = 2;
/// The most requests for one mail: pages may lead to each other.
const MOST: usize = 200;
/// Pages whose examples look like what must not be handed out.
const DOCUMENTS: [&str; 2] = ["/docs", "/openapi.json"];
/// What begins every token, and the members that answers have them in.
const TOKENS: [&str; 3] = ["eyJ", "refreshToken", "idToken"];

/// A robot; a clone is the same one at another mail.
#[derive(Clone)]
pub(super) struct Robot {
    http: HttpClient,
    /// Where the links of mails have to lead.
    service: Url,
}

/// What the robot did, and what came of it.
#[derive(Debug, Default)]
pub(super) struct RobotCounts {
    pub(super) links: u64,
    pub(super) requests: u64,
    /// Forms that were sent, each button for itself.
    pub(super) clicks: u64,
    /// Links that led nowhere, and failures of the service.
    pub(super) broken: Findings,
    /// Cookies and tokens that answers had.
    pub(super) handed: Findings,
}

impl RobotCounts {
    pub(super) fn add(&mut self, other: Self) {
        self.links += other.links;
        self.requests += other.requests;
        self.clicks += other.clicks;
        self.broken.add(other.broken);
        self.handed.add(other.handed);
    }
}

/// A request that is to be sent.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Visit {
    method: &'static str,
    url: Url,
    /// Of a form.
    body: Option<String>,
    /// Pages between it and the mail.
    depth: u32,
    /// Whether the mail's link leads here, redirects included.
    is_of_link: bool,
}

impl Visit {
    fn link(method: &'static str, url: &Url) -> Self {
        Self {
            method,
            url: url.clone(),
            body: None,
            depth: 0,
            is_of_link: true,
        }
    }

    fn click(submission: Submission, depth: u32) -> Self {
        Self {
            method: if submission.body.is_some() {
                "POST"
            } else {
                "GET"
            },
            url: submission.url,
            body: submission.body,
            depth,
            is_of_link: false,
        }
    }

    /// In words, without the secret.
    fn words(&self) -> String {
        format!("{} {}", self.method, &self.url[..Position::AfterPath])
    }

    /// Where its answer sends it (RFC 9110 §15.4): as it is, or as a GET.
    fn redirected(&self, status: u16, headers: &HeaderMap) -> Option<Self> {
        let location = headers.get(LOCATION)?.to_str().ok()?;
        let url = self.url.join(location).ok()?;
        let stays = matches!(status, 307 | 308) || self.method == "HEAD";
        (300..400).contains(&status).then(|| Self {
            url,
            method: if stays { self.method } else { "GET" },
            body: self.body.clone().filter(|_| stays),
            ..self.clone()
        })
    }
}

impl Robot {
    /// A robot for mails of the service at this URL.
    pub(super) fn new(service: Url) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            service,
        })
    }

    pub(super) fn service(&self) -> &Url {
        &self.service
    }

    /// Works on a mail from this address of the robot's network.
    pub(super) async fn work(&self, mail: &Mail, address: &str) -> Result<RobotCounts> {
        let mut counts = RobotCounts::default();
        let (mut queue, mut known) = (VecDeque::new(), HashSet::new());
        for link in &mail.links {
            counts.links += 1;
            queue.extend(["HEAD", "GET"].map(|method| Visit::link(method, link)));
        }
        while let Some(visit) = queue.pop_front() {
            if !known.insert((visit.method, visit.url.clone(), visit.body.clone())) {
                continue;
            }
            if visit.url.origin() != self.service.origin() {
                if visit.is_of_link {
                    counts
                        .broken
                        .note(format!("{} leads elsewhere", visit.words()));
                }
                continue;
            }
            if known.len() > MOST {
                counts
                    .broken
                    .note(format!("{} is one page too many", visit.words()));
                break;
            }
            let (headers, response) = self.send(&visit, address).await?;
            counts.requests += 1;
            counts.clicks += u64::from(visit.method == "POST");
            for what in handed(&visit.url, &headers, &response) {
                counts.handed.note(format!("{}: {what}", visit.words()));
            }
            if let Some(next) = visit.redirected(response.status, &headers) {
                queue.push_back(next);
                continue;
            }
            if response.status >= 500 || (visit.is_of_link && !response.is_success()) {
                counts
                    .broken
                    .note(format!("{}: {}", visit.words(), response.status));
            }
            if visit.depth < DEPTH && is_page(&headers) {
                let page = Page::read(&response.body, &visit.url);
                queue.extend(clicks(&page, visit.depth + 1));
            }
        }
        Ok(counts)
    }

    async fn send(&self, visit: &Visit, address: &str) -> Result<(HeaderMap, Response)> {
        let request = Request::new(visit.method, visit.url.as_str())?
            .header("X-Forwarded-For", address)
            .header("User-Agent", "Mozilla/5.0 (compatible; mail scanner)")
            .header("Accept", "text/html,*/*;q=0.5")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document");
        let request = match &visit.body {
            // As a browser sends what is clicked on the service's own page.
            Some(body) => request
                .header("Origin", &self.service.origin().ascii_serialization())
                .header("Sec-Fetch-Site", "same-origin")
                .with_body("application/x-www-form-urlencoded", body.clone()),
            None => request.header("Sec-Fetch-Site", "cross-site"),
        };
        self.http.send_for_headers(&request).await
    }
}

fn clicks(page: &Page, depth: u32) -> Vec<Visit> {
    let links = page.links.iter().map(|link| Visit {
        depth,
        is_of_link: false,
        ..Visit::link("GET", link)
    });
    let forms = page.forms.iter().flat_map(Form::submissions);
    links
        .chain(forms.map(|submission| Visit::click(submission, depth)))
        .collect()
}

fn is_page(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with("text/html"))
}

/// What an answer gives to whoever asked: cookies, but for those that it removes, and tokens.
fn handed(url: &Url, headers: &HeaderMap, response: &Response) -> Vec<String> {
    let cookies = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let kept = cookies.filter_map(|cookie| {
        let (name, rest) = cookie.split_once('=')?;
        let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
        let is_removed = value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0");
        (!is_removed).then(|| format!("the cookie {name}"))
    });
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let texts = [Some(response.body.as_str()), location];
    let has = |token: &&str| texts.iter().flatten().any(|text| text.contains(*token));
    let tokens = TOKENS
        .iter()
        .filter(|_| !DOCUMENTS.contains(&url.path()))
        .filter(|token| has(token))
        .map(|token| format!("`{token}`"));
    kept.chain(tokens).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    const LINK: &str = "http://127.0.0.1:8080/account/recovery?proof=a&secret=b";

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    fn headers(all: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn answer(body: &str) -> Response {
        Response {
            status: 200,
            retry_after: None,
            body: body.to_owned(),
        }
    }

    #[test]
    fn cookies_and_tokens_are_noticed_unless_they_are_removed_or_examples() {
        let set = headers(&[
            (SET_COOKIE, "revolve-device-x=abc; HttpOnly"),
            (SET_COOKIE, "former=; Path=/"),
            (SET_COOKIE, "gone=abc; Max-Age=0"),
        ]);
        let found = handed(
            &url(LINK),
            &set,
            &answer("{\"tokens\":{\"idToken\":\"eyJ\"}}"),
        );
        assert_eq!(found, ["the cookie revolve-device-x", "`eyJ`", "`idToken`"]);
        let led = headers(&[(LOCATION, "/app#eyJhbGciOi")]);
        assert_eq!(handed(&url(LINK), &led, &answer("")), ["`eyJ`"]);
        let documents = url("http://127.0.0.1:8080/docs");
        assert!(handed(&documents, &headers(&[]), &answer("refreshToken")).is_empty());
    }

    #[test]
    fn a_redirect_is_followed_as_browsers_do() {
        let form = Visit {
            body: Some("a=b".to_owned()),
            ..Visit::link("POST", &url(LINK))
        };
        let to = headers(&[(LOCATION, "/account/done")]);
        for (status, method, body) in [(303, "GET", None), (307, "POST", Some("a=b"))] {
            let next = form.redirected(status, &to).expect("it leads on");
            assert_eq!(
                (next.method, next.body.as_deref(), next.url.path()),
                (method, body, "/account/done")
            );
        }
        assert!(form.redirected(200, &to).is_none());
        let head = Visit::link("HEAD", &url(LINK));
        assert_eq!(
            head.redirected(302, &to).expect("it leads on").method,
            "HEAD"
        );
    }

    #[test]
    fn a_page_is_clicked_wherever_it_can_be() {
        let html = "<a href=/account/help>?</a><form method=post action=/account/go><button>Go</button></form>";
        let all: Vec<_> = clicks(&Page::read(html, &url(LINK)), 1)
            .iter()
            .map(Visit::words)
            .collect();
        assert_eq!(
            all,
            [
                "GET http://127.0.0.1:8080/account/help",
                "POST http://127.0.0.1:8080/account/go"
            ]
        );
    }
}
