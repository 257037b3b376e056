//! `[traces]`: where traces go. Needs a binary that was built with the feature `otel`.

use super::Rule;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// `[traces]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Where an OpenTelemetry collector takes spans by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; none by
    /// default. Without it the standard variables `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` and `OTEL_EXPORTER_OTLP_ENDPOINT` count.
    /// Credentials for the collector belong into `OTEL_EXPORTER_OTLP_HEADERS`, not here.
    pub endpoint: Option<String>,
}

impl Traces {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        // A type of its own would quote what it can't read.
        let url = self.endpoint.as_deref().map(Url::parse);
        let is_http = url.as_ref().is_none_or(|url| {
            url.as_ref()
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        });
        let is_public = url
            .iter()
            .flatten()
            .all(|url| url.username().is_empty() && url.password().is_none());
        vec![
            (is_http, "traces.endpoint: must be an http or https URL"),
            (
                is_public,
                "traces.endpoint: must not have a password in it; use OTEL_EXPORTER_OTLP_HEADERS",
            ),
        ]
    }
}
