//! What pages load: the stylesheet, the module for passkeys, the icon and the logo. Their URLs have the hash of their content, so that browsers keep them for good.

use super::{Accent, BASE, PageSettings};
use crate::kit::{
    cached::{cached, content_tag},
    problem::Problem,
    query,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use std::time::Duration;

const STYLE: &str = include_str!("style.css");
const PASSKEYS: &str = include_str!("passkeys.js");
const ICON: &str = include_str!("icon.svg");
/// The colour of the icon, which is that of buttons and links.
const ICON_COLOUR: &str = "#1d4ed8";
const MAX_AGE: Duration = Duration::from_hours(365 * 24);

/// The largest logo in bytes.
const LOGO_LIMIT: usize = 64 << 10;

/// The picture that stands in place of the service's name.
#[derive(Clone, Debug)]
pub struct Logo {
    kind: &'static str,
    content: Bytes,
}

/// Why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// Pages stay small.
    #[error("must have at most 64 KiB")]
    TooLarge,
    /// Browsers show others, too, which need no mention in every page.
    #[error("must be a picture in SVG, PNG or WebP")]
    UnknownKind,
}

impl Logo {
    /// Recognizes the kind of a picture by its content.
    ///
    /// # Errors
    /// [`LogoError`].
    pub fn new(content: Vec<u8>) -> Result<Self, LogoError> {
        if content.len() > LOGO_LIMIT {
            return Err(LogoError::TooLarge);
        }
        let kind = match &content[..] {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => "image/webp",
            text if is_svg(text) => "image/svg+xml",
            _ => return Err(LogoError::UnknownKind),
        };
        let content = content.into();
        Ok(Self { kind, content })
    }
}

/// Whether this is a text with the root of an SVG near its beginning.
fn is_svg(content: &[u8]) -> bool {
    let text = std::str::from_utf8(content).map(str::trim_start);
    text.is_ok_and(|text| {
        let text = text.trim_start_matches('\u{feff}');
        text.starts_with('<') && text.contains("<svg")
    })
}

/// Something that pages load.
#[derive(Clone, Debug)]
pub(super) struct Asset {
    kind: &'static str,
    content: Bytes,
    tag: String,
    url: String,
}

impl Asset {
    /// The stylesheet, in the operator's colour.
    pub(super) fn style(accent: Option<Accent>) -> Self {
        let style = match accent {
            Some(accent) => Bytes::from(format!("{STYLE}{}", accent.style())),
            None => Bytes::from_static(STYLE.as_bytes()),
        };
        Self::new("style.css", "text/css; charset=utf-8", style)
    }

    /// The module for passkeys.
    pub(super) fn passkeys() -> Self {
        let script = Bytes::from_static(PASSKEYS.as_bytes());
        Self::new("passkeys.js", "text/javascript; charset=utf-8", script)
    }

    /// What browsers show beside the title, in the operator's colour.
    pub(super) fn icon(accent: Option<Accent>) -> Self {
        let icon = match accent {
            Some(accent) => Bytes::from(ICON.replace(ICON_COLOUR, &accent.to_string())),
            None => Bytes::from_static(ICON.as_bytes()),
        };
        Self::new("icon.svg", "image/svg+xml", icon)
    }

    /// The logo.
    pub(super) fn logo(logo: Logo) -> Self {
        Self::new("logo", logo.kind, logo.content)
    }

    fn new(name: &str, kind: &'static str, content: Bytes) -> Self {
        let tag = content_tag(&content);
        let url = format!("{BASE}/{name}?v={tag}");
        Self {
            kind,
            content,
            tag,
            url,
        }
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let version = query::parameter(request.query_string(), "v");
        if version == Some(self.tag.as_str()) {
            cached(request, MAX_AGE, self.kind, self.content.clone())
        } else {
            // During a rolling update another version's page asks for it: what it gets must not be kept as that version's.
            HttpResponse::Ok()
                .content_type(self.kind)
                .body(self.content.clone())
        }
    }
}

/// `GET /style.css`
pub(crate) async fn style(settings: Data<PageSettings>, request: HttpRequest) -> HttpResponse {
    settings.style.answer(&request)
}

/// `GET /passkeys.js`
pub(crate) async fn passkeys(settings: Data<PageSettings>, request: HttpRequest) -> HttpResponse {
    settings.passkeys.answer(&request)
}

/// `GET /icon.svg`
pub(crate) async fn icon(settings: Data<PageSettings>, request: HttpRequest) -> HttpResponse {
    settings.icon.answer(&request)
}

/// `GET /logo`
pub(crate) async fn logo(
    settings: Data<PageSettings>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let logo = settings.logo.as_ref();
    let logo = logo.ok_or_else(|| Problem::not_found("There is no logo."))?;
    Ok(logo.answer(&request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content() {
        let kind = |content: &[u8]| Logo::new(content.to_vec()).map(|logo| logo.kind);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Ok("image/png"));
        assert_eq!(kind(b"RIFF\0\0\0\0WEBPVP8 "), Ok("image/webp"));
        for svg in [
            "<svg/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<svg>",
            "\n<!-- a --><svg >",
        ] {
            assert_eq!(kind(svg.as_bytes()), Ok("image/svg+xml"), "{svg}");
        }
        for other in [
            &b""[..],
            b"GIF89a",
            b"<html>",
            b"svg",
            b"\xff\xd8\xff",
            b"<svg \xff",
        ] {
            assert_eq!(kind(other), Err(LogoError::UnknownKind), "{other:?}");
        }
        assert_eq!(kind(&vec![b'<'; LOGO_LIMIT + 1]), Err(LogoError::TooLarge));
    }

    #[test]
    fn the_icon_has_the_colour_of_buttons() {
        assert!(STYLE.contains(&format!("--accent:{ICON_COLOUR};")));
        let icon = |accent| String::from_utf8(Asset::icon(accent).content.to_vec()).unwrap();
        assert!(icon(None).contains(&format!("fill=\"{ICON_COLOUR}\"")));
        let green = icon("#006400".parse().ok());
        assert!(green.contains("fill=\"#006400\"") && !green.contains(ICON_COLOUR));
    }

    #[test]
    fn another_colour_is_another_stylesheet() {
        let plain = Asset::style(None);
        let green = Asset::style("#006400".parse().ok());
        assert_ne!(plain.url(), green.url());
        assert!(plain.url().starts_with("/account/style.css?v="));
    }
}
