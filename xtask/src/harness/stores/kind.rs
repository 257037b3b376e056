//! Which stores there are, and what each is called by the tests, by engines and by Debian.

use std::fmt;

/// The two servers that the server profile rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    /// Names the URL that the tests read.
    pub(crate) fn url_variable(self) -> &'static str {
        match self {
            Self::Redis => "REVOLVE_TEST_REDIS_URL",
            Self::Postgres => "REVOLVE_TEST_POSTGRES_URL",
        }
    }

    /// The container image: from the environment, or the default.
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

    /// The Debian package with the server.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        })
    }
}
