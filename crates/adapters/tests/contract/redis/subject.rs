//! Redis as a subject of the contract. Time passes by shifting the stored times, which needs no hook in the adapter.

use super::{DirectConnections, connect, connect_directly, server};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use deadpool_redis::redis::Script;
use revolve_adapters::redis::RedisTokens;
use revolve_domain::{
    model::{SessionId, TokenId, UserId},
    ports::TokenRepository,
};
use revolve_testkit::contract::{HistorySubject, MemorySubject, StoredToken, TokensSubject};
use std::{sync::Arc, time::Duration};

/// KEYS: index. ARGV: ms. Moves all times of a user into the past, and answers how many keys no session accounts for.
const SHIFT: &str = "
    local by = tonumber(ARGV[1])
    local prefix = string.sub(KEYS[1], 1, -9)
    local owned = { [KEYS[1]] = true }
    for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
        owned[prefix .. string.match(value, ':(.*)')] = true
    end
    local orphans = 0
    for _, key in ipairs(redis.call('KEYS', prefix .. '*')) do
        if not owned[key] then orphans = orphans + 1 end
        if key ~= KEYS[1] then redis.call('HINCRBY', key, 'rotated_at', string.format('%d', -by)) end
        local left = redis.call('PTTL', key) - by
        if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
    end
    return orphans";

/// KEYS: index. ARGV: sid, and if there shall be an entry: jti, ms left, ms of age, then names and values of fields. Puts an entry back.
const RESTORE: &str = "
    local index, sid = KEYS[1], ARGV[1]
    local prefix = string.sub(index, 1, -9)
    local old = redis.call('HGET', index, sid)
    if old then
        redis.call('DEL', prefix .. string.match(old, ':(.*)'))
        redis.call('HDEL', index, sid)
    end
    if #ARGV == 1 then return end
    local key, left, age = prefix .. ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
    local now = redis.call('TIME')
    redis.call('HSET', key, 'rotated_at', now[1] * 1000 + math.floor(now[2] / 1000) - age, unpack(ARGV, 5))
    redis.call('PEXPIRE', key, left)
    redis.call('HSET', index, sid, string.match(redis.call('HGET', key, 'gen'), '^%d+') .. ':' .. ARGV[2])
    if redis.call('PTTL', index) < left then redis.call('PEXPIRE', index, left) end";

/// The adapter, and connections that bypass it. Without a Redis the memory stands in, so that nothing fails.
pub(super) enum RedisTokensSubject {
    Redis {
        tokens: Arc<RedisTokens>,
        redis: DirectConnections,
    },
    Skipped(MemorySubject),
}

pub(super) async fn make() -> RedisTokensSubject {
    let Some(server) = server() else {
        return RedisTokensSubject::Skipped(MemorySubject::new());
    };
    RedisTokensSubject::Redis {
        tokens: Arc::new(connect(&server).await),
        redis: connect_directly(&server).await,
    }
}

#[async_trait]
impl TokensSubject for RedisTokensSubject {
    fn repository(&self) -> Arc<dyn TokenRepository> {
        match self {
            Self::Redis { tokens, .. } => tokens.clone(),
            Self::Skipped(memory) => memory.repository(),
        }
    }

    async fn advance(&self, user: UserId, by: Duration) {
        match self {
            Self::Redis { redis, .. } => {
                let script = Script::new(SHIFT);
                let mut call = script.key(format!("{{{user}}}:sessions"));
                let orphans: u32 = call
                    .arg(millis(by))
                    .invoke_async(&mut redis.for_user(user).await)
                    .await
                    .expect("the shift should work");
                assert_eq!(orphans, 0, "every token's key is in the index");
            }
            Self::Skipped(memory) => memory.advance(user, by).await,
        }
    }
}

#[async_trait]
impl HistorySubject for RedisTokensSubject {
    async fn roll_back(&self, user: UserId, session: SessionId, state: Option<StoredToken>) {
        let redis = match self {
            Self::Redis { redis, .. } => redis,
            Self::Skipped(memory) => return memory.roll_back(user, session, state).await,
        };
        let script = Script::new(RESTORE);
        let mut call = script.key(format!("{{{user}}}:sessions"));
        call.arg(session.to_string());
        if let Some(StoredToken {
            token,
            parent_issued_at,
            epoch,
            age,
            remaining,
            late,
            charged,
            reused,
        }) = state
        {
            // Half of them as the release before wrote them.
            let id = TokenId::of(session, token.generation);
            let is_earlier = id.as_uuid().as_bytes()[0].is_multiple_of(2);
            let name = if is_earlier {
                id.to_string()
            } else {
                URL_SAFE_NO_PAD.encode(id.as_uuid().as_bytes())
            };
            call.arg(name).arg(millis(remaining)).arg(millis(age));
            let parent = parent_issued_at.map(|at| format!(":{}", at.as_seconds()));
            call.arg("gen").arg(format!(
                "{}{}",
                token.generation.number(),
                parent.unwrap_or_default()
            ));
            call.arg("iat")
                .arg(token.issued_at.as_seconds())
                .arg("exp")
                .arg(token.expires_at.as_seconds());
            if is_earlier {
                call.arg("sid").arg(session.to_string());
            }
            if let Some(device) = token.device {
                call.arg("did").arg(device.to_string());
            }
            for (name, value) in [
                ("late", late),
                ("epoch", epoch.number()),
                ("charged", u32::from(charged)),
                ("reused", u32::from(reused)),
            ] {
                if value != 0 {
                    call.arg(name).arg(value);
                }
            }
        }
        let _: () = call
            .invoke_async(&mut redis.for_user(user).await)
            .await
            .expect("the roll-back should work");
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("a short time")
}
