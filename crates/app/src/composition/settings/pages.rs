//! What the pages are made with.

use crate::config::{Config, ConfigError, RequireFactorName};
use revolve_domain::model::Locale;
use revolve_http::{Accent, Logo, PageOptions, PageSettings};
use std::fs;

/// What the pages are made with, unless they are switched off.
///
/// # Errors
/// [`ConfigError`] that names the key that is wrong.
pub(crate) fn pages(config: &Config) -> Result<Option<PageSettings>, ConfigError> {
    let pages = &config.pages;
    if !pages.enabled {
        return Ok(None);
    }
    let languages = config.mail.locales();
    Ok(Some(PageSettings::new(PageOptions {
        name: pages.name.clone(),
        logo: logo(config)?,
        accent: accent(config)?,
        terms: pages.terms.clone(),
        privacy: pages.privacy.clone(),
        origin: config.tokens.origin(),
        return_to: config.http.return_to.clone(),
        mail: config.sends_mail(),
        sign_in_code: config.accounts.sign_in_code,
        languages: languages
            .iter()
            .map(|tag| Locale::as_str(tag).to_owned())
            .collect(),
        factor_required: config.accounts.require_factor == RequireFactorName::Always,
    })))
}

fn accent(config: &Config) -> Result<Option<Accent>, ConfigError> {
    let Some(colour) = &config.pages.accent else {
        return Ok(None);
    };
    let accent = colour.parse();
    accent
        .map(Some)
        .map_err(|error| ConfigError::new(format!("pages.accent: {colour} {error}")))
}

fn logo(config: &Config) -> Result<Option<Logo>, ConfigError> {
    let Some(path) = &config.pages.logo else {
        return Ok(None);
    };
    let wrong =
        |error: String| ConfigError::new(format!("pages.logo: {}: {error}", path.display()));
    let content = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let logo = Logo::new(content);
    logo.map(Some).map_err(|error| wrong(error.to_string()))
}
