//! A browser: it opens the pages that links of mails lead to, sends their forms, and keeps cookies.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::json;
use url::{Url, form_urlencoded::Serializer};

use super::device::expect;
use crate::harness::http::{HttpClient, Request, Response};

/// What begins tokens, and the members that answers of the API have them in.
const TOKENS: [&str; 4] = ["eyJhbGci", "eyJ0eXAi", "refreshToken", "idToken"];

/// What a browser keeps.
const COOKIES: [&str; 4] = [
    "revolve-device",
    "revolve-proof",
    "revolve-refresh",
    "revolve-id",
];

pub(super) struct Browser {
    http: HttpClient,
    issuer: String,
    cookies: BTreeMap<String, String>,
}

/// A page, and where it is.
pub(super) struct Page {
    url: Url,
    pub(super) html: String,
}

impl Page {
    /// Whether its form asks for a field.
    pub(super) fn asks(&self, field: &str) -> bool {
        self.html.contains(&format!("<input id=\"{field}\""))
    }

    /// What the form has in it that nobody types.
    fn hidden(&self, field: &str) -> Result<&str> {
        let before = format!("<input type=\"hidden\" name=\"{field}\" value=\"");
        let rest = self.html.split_once(&before).map(|(_, rest)| rest);
        let value = rest.and_then(|rest| rest.split_once('"'));
        let (value, _) = value.with_context(|| format!("the form has no `{field}`"))?;
        Ok(value)
    }
}

impl Browser {
    pub(super) fn new(issuer: &str) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            issuer: issuer.to_owned(),
            cookies: BTreeMap::new(),
        })
    }

    /// Asks for a mail to choose a new password, as the script of a front end does.
    pub(super) async fn forgot(&mut self, email: &str) -> Result<Response> {
        let url = format!("{}/api/account/recovery", self.issuer);
        let request = Request::post(&url, &json!({ "email": email }))?;
        let (_, response) = self.send(request, "same-origin").await?;
        expect(response, 202, "")
    }

    /// Follows the link of a mail.
    pub(super) async fn open(&mut self, link: &str) -> Result<Page> {
        let (_, response) = self.send(Request::get(link)?, "cross-site").await?;
        page(link.parse().context("the link is no URL")?, response, 200)
    }

    /// Sends the form of a page as it stands there, with what is typed; answers the page that asks for more.
    pub(super) async fn refused(&mut self, form: &Page, typed: &[(&str, &str)]) -> Result<Page> {
        let (_, response) = self.send_form(form, typed).await?;
        page(form.url.clone(), response, 422)
    }

    /// The same, with the page that says that it was carried out.
    pub(super) async fn carried_out(
        &mut self,
        form: &Page,
        typed: &[(&str, &str)],
    ) -> Result<Page> {
        let (headers, response) = self.send_form(form, typed).await?;
        ensure!(
            response.status == 303,
            "the form is answered {}",
            response.status
        );
        let location = headers.get(LOCATION).context("it leads nowhere")?;
        let done = form.url.join(location.to_str()?)?;
        self.open(done.as_str()).await
    }

    async fn send_form(
        &mut self,
        page: &Page,
        typed: &[(&str, &str)],
    ) -> Result<(HeaderMap, Response)> {
        let mut fields = Serializer::new(String::new());
        for name in ["proof", "secret"] {
            fields.append_pair(name, page.hidden(name)?);
        }
        fields.extend_pairs(typed);
        let action = &page.url[..url::Position::AfterPath];
        let form = Request::new("POST", action)?
            .header("Origin", &self.issuer)
            .with_body("application/x-www-form-urlencoded", fields.finish());
        self.send(form, "same-origin").await
    }

    async fn send(&mut self, request: Request, site: &str) -> Result<(HeaderMap, Response)> {
        let mut request = request
            .header("Accept", "text/html,application/json;q=0.9")
            .header("Sec-Fetch-Site", site);
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies.join("; "));
        }
        let (headers, response) = self.http.send_for_headers(&request).await?;
        for cookie in headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie has no value")?;
            ensure!(
                COOKIES.iter().any(|kind| name.contains(kind)),
                "the browser was handed the cookie {name}"
            );
            let is_hidden = cookie.to_str()?.contains("; HttpOnly");
            ensure!(is_hidden, "scripts can read the cookie {name}");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        for text in location.into_iter().chain([response.body.as_str()]) {
            let has_token = TOKENS.iter().any(|token| text.contains(token));
            ensure!(!has_token, "the browser was handed a token");
        }
        Ok((headers, response))
    }
}

/// Ends the tour if it is no page, or another one.
fn page(url: Url, response: Response, status: u16) -> Result<Page> {
    ensure!(
        response.status == status && response.body.starts_with("<!DOCTYPE html>"),
        "expected a page with {status}, got {}",
        response.status
    );
    Ok(Page {
        url,
        html: response.body,
    })
}
