//! The scheme that the service replaces, done as well as its libraries allow: a refresh token is worth something while its id is a key in
//! Redis. A refresh sets a key and deletes one, a sign-out everywhere scans the key space. It reads no user database at all and hashes no
//! passwords, which makes it cheaper than it was; signers are built once and connections are pooled. It promises nothing when an answer
//! is lost, two tabs refresh at once, or Redis forgets.

mod routes;
mod tokens;

use actix_web::web::{self, Data};
use anyhow::{Context as _, Result};
use deadpool_redis::{Config, Pool, Runtime};

use tokens::BaselineTokens;

/// Arguments of `baseline`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `redis://…`
    #[arg(long)]
    redis: String,
    /// RS256 or ES256, for ID tokens
    #[arg(long, default_value = "RS256")]
    algorithm: String,
}

/// What handlers use.
struct BaselineState {
    redis: Pool,
    tokens: BaselineTokens,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let redis = Config::from_url(&args.redis)
        .create_pool(Some(Runtime::Tokio1))
        .context("no pool")?;
    let state = Data::new(BaselineState {
        redis,
        tokens: BaselineTokens::new(&args.algorithm)?,
    });
    crate::server::serve(move |routes| {
        routes
            .app_data(state.clone())
            .route("/api/account/signup", web::post().to(routes::sign_up))
            .route("/api/account/tokens", web::post().to(routes::refresh))
            .route("/api/account/signout", web::post().to(routes::sign_out));
    })
}
