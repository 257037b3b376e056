//! Its operations, at the paths that the service has.

use actix_web::{
    HttpRequest, HttpResponse,
    error::{Error, ErrorInternalServerError, ErrorServiceUnavailable, ErrorUnauthorized},
    web::{Data, Json},
};
use deadpool_redis::{Connection, redis::cmd};
use serde::{Deserialize, Serialize};

use super::{
    BaselineState,
    tokens::{REFRESH_LIFE, random},
};

/// Keys that a round of a scan looks at: what Redis does by default.
const SCANNED: usize = 10;

#[derive(Deserialize)]
pub(super) struct SignInBody {
    email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Presented {
    refresh_token: String,
}

#[derive(Serialize)]
struct PairAnswer {
    tokens: TokenPair,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenPair {
    id_token: String,
    refresh_token: String,
}

/// A new user each time.
pub(super) async fn sign_up(
    state: Data<BaselineState>,
    body: Json<SignInBody>,
) -> Result<HttpResponse, Error> {
    let user = random().to_string();
    let pair = issue(&state, &mut connection(&state).await?, &user, &body.email).await?;
    Ok(HttpResponse::Created().json(PairAnswer { tokens: pair }))
}

/// The new key is set before the old one is deleted; who comes second with the same token is refused.
pub(super) async fn refresh(
    state: Data<BaselineState>,
    body: Json<Presented>,
) -> Result<HttpResponse, Error> {
    let (user, email, id) = state
        .tokens
        .open_refresh(&body.refresh_token)
        .map_err(ErrorUnauthorized)?;
    let mut redis = connection(&state).await?;
    let tokens = issue(&state, &mut redis, &user, &email).await?;
    let gone: u32 = cmd("DEL")
        .arg(key(&user, &id))
        .query_async(&mut redis)
        .await
        .map_err(ErrorServiceUnavailable)?;
    if gone == 0 {
        return Err(ErrorUnauthorized("not on the white list"));
    }
    Ok(HttpResponse::Ok().json(PairAnswer { tokens }))
}

/// Everywhere: all keys of the user, which only a scan of all keys finds.
pub(super) async fn sign_out(
    state: Data<BaselineState>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    let bearer = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let user = state
        .tokens
        .open_id(bearer.unwrap_or_default())
        .map_err(ErrorUnauthorized)?;
    let mut redis = connection(&state).await?;
    let (mut cursor, pattern) = (0_u64, key(&user, "*"));
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(&pattern)
            .arg("COUNT")
            .arg(SCANNED);
        let (next, keys): (u64, Vec<String>) = scan
            .query_async(&mut redis)
            .await
            .map_err(ErrorServiceUnavailable)?;
        if !keys.is_empty() {
            cmd("DEL")
                .arg(keys)
                .exec_async(&mut redis)
                .await
                .map_err(ErrorServiceUnavailable)?;
        }
        if next == 0 {
            return Ok(HttpResponse::NoContent().finish());
        }
        cursor = next;
    }
}

async fn issue(
    state: &BaselineState,
    redis: &mut Connection,
    user: &str,
    email: &str,
) -> Result<TokenPair, Error> {
    let (refresh_token, id) = state
        .tokens
        .refresh(user, email)
        .map_err(ErrorInternalServerError)?;
    let mut set = cmd("SET");
    set.arg(key(user, &id))
        .arg(0)
        .arg("EX")
        .arg(REFRESH_LIFE.as_secs());
    set.exec_async(redis)
        .await
        .map_err(ErrorServiceUnavailable)?;
    Ok(TokenPair {
        id_token: state
            .tokens
            .id(user, email)
            .map_err(ErrorInternalServerError)?,
        refresh_token,
    })
}

async fn connection(state: &BaselineState) -> Result<Connection, Error> {
    state.redis.get().await.map_err(ErrorServiceUnavailable)
}

fn key(user: &str, id: &str) -> String {
    format!("{user}:{id}")
}
