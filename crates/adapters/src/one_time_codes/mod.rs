//! One-time codes of authenticator apps: TOTP (RFC 6238) over HOTP (RFC 4226), and what an app is set up with.

mod hotp;
mod uri;

use qrcode::{Color, EcLevel, QrCode};
use revolve_domain::{
    model::{OneTimeCode, Timestamp, TotpStep},
    ports::{FactorFault, OneTimeCodes, TotpEnrolment},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::fmt::Write as _;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Pixels of a module of the QR code, if nobody scales it.
const MODULE: usize = 4;

/// Modules of the quiet zone around it (ISO/IEC 18004 §6.3.8).
const QUIET: usize = 4;

/// Computes codes of apps that know the service by a name.
pub struct Totp {
    issuer: String,
}

impl Totp {
    /// `issuer`: the name of the service, which apps show. A colon becomes a space: it would end the name there.
    pub fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.replace(':', " "),
        }
    }
}

impl OneTimeCodes for Totp {
    fn step(
        &self,
        secret: &SecretSlice<u8>,
        code: &OneTimeCode,
        at: Timestamp,
    ) -> Option<TotpStep> {
        let now = u64::try_from(at.as_seconds()).unwrap_or(0) / TotpStep::SECONDS;
        let (mut found, mut is_any) = (0, Choice::from(0));
        // The latest one is the last that is looked at.
        for step in [now.saturating_sub(1), now, now.saturating_add(1)] {
            let expected = hotp::code(secret.expose_secret(), step);
            let is_same = expected
                .expose_secret()
                .as_bytes()
                .ct_eq(code.expose().as_bytes());
            found = u64::conditional_select(&found, &step, is_same);
            is_any |= is_same;
        }
        bool::from(is_any).then(|| TotpStep::new(found))
    }

    fn enrolment(
        &self,
        secret: &SecretSlice<u8>,
        account: &str,
    ) -> Result<TotpEnrolment, FactorFault> {
        let secret = uri::base32(secret.expose_secret());
        let uri = uri::key_uri(&self.issuer, account, &secret);
        let qr_code = qr_code(&uri)?;
        Ok(TotpEnrolment {
            secret,
            uri,
            qr_code,
        })
    }
}

/// One `<svg>` element, in which each run of dark modules of a row is a stroke. Error correction of level M, which reads well from screens.
fn qr_code(uri: &SecretString) -> Result<SecretString, FactorFault> {
    let code = QrCode::with_error_correction_level(uri.expose_secret(), EcLevel::M)
        .map_err(|error| FactorFault::NotMade(error.into()))?;
    let (width, modules) = (code.width(), code.to_colors());
    let mut strokes = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let (from, line, length) = (x + QUIET, y + QUIET, run.len());
                let _ = write!(strokes, "M{from} {line}.5h{length}");
            }
            x += run.len();
        }
    }
    let (whole, side) = (width + 2 * QUIET, (width + 2 * QUIET) * MODULE);
    let element = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" width=\"{side}\" height=\"{side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path stroke=\"#000\" d=\"{strokes}\"/></svg>"
    );
    Ok(element.into())
}

#[cfg(test)]
mod tests;
