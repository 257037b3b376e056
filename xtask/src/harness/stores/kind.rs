//! The stores, and their names for the tests, for container engines and for Debian.

use std::fmt;

/// The two servers that the server profile needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Redis,
    Postgres,
}

impl StoreKind {
    pub(crate) const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    /// The environment variable with the URL that the tests read.
    pub(crate) fn url_variable(self) -> &'static str {
        match self {
            Self::Redis => "REVOLVE_TEST_REDIS_URL",
            Self::Postgres => "REVOLVE_TEST_POSTGRES_URL",
        }
    }

    /// The container image, from the environment or the default.
    pub(crate) fn image(self) -> String {
        let (variable, default) = match self {
            Self::Redis => ("REVOLVE_TEST_REDIS_IMAGE", "redis:7.0"),
            Self::Postgres => ("REVOLVE_TEST_POSTGRES_IMAGE", "postgres:15"),
        };
        std::env::var(variable)
            .ok()
            .filter(|image| !image.is_empty())
            .unwrap_or_else(|| default.to_owned())
    }

    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        })
    }
}
