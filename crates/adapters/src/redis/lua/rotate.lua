-- rotate: one attempt to refresh. Same rows in the same order as `revolve_domain::rotation::step`; the table is in docs/sessions.md.
--
-- KEYS  index, the presented token's key, its successor's key
-- ARGV  sid, presented gen, presented iat, successor gen, iat, exp, epoch, expired (0/1), owner did, shown did ('' for none), bound (0/1),
--       retry_free and window (ms), late_retries, revoke (0/1)
-- Answer: {'device_mismatch'}, {'unknown'}, {'healed', lost gen}, {'rotated'}, {'repeated', gen, iat, exp, did, age, late (0/1)},
--         {'stale'} or {'reused', live gen, age, revoked (0/1)}
local sid, presented, presented_iat, next_gen, iat, exp, epoch, expired, owner, shown, bound, retry_free, window, late_retries, revoke =
  unpack(ARGV)

local value = redis.call('HGET', index, sid)
local entry = value and load(sid, value)

-- The device check comes before all rows: another device's credential is always refused, a missing one is accepted while the session is
-- unbound.
local satisfied
if shown ~= '' then
  satisfied = shown == owner
else
  satisfied = bound == '0' and not (entry and entry.did ~= '')
end
if not satisfied then
  return { 'device_mismatch' }
end

if not entry then
  return { 'unknown' }
end

-- The clock may have been set back; then no time has passed.
local now = clock()
local age = math.max(0, now - entry.rotated_at)

-- Reuse was found before. It is answered until the session is removed, so that no lost answer hides it.
if entry.reused then
  return { 'reused', entry.gen, age, '1' }
end

-- Renames the live key, whatever its generation, to the successor's.
local function replace(late)
  redis.call('RENAME', entry.key, KEYS[3])
  store({
    sid = sid, gen = next_gen, key = KEYS[3], iat = iat, exp = exp, rotated_at = now,
    late = late, did = shown, epoch = tonumber(epoch), parent_iat = presented_iat,
  })
end

-- Marks the entry, unless the policy keeps the session.
local function reuse()
  if revoke == '1' then
    redis.call('HSET', entry.key, 'reused', 1)
  end
  return { 'reused', entry.gen, age, revoke }
end

local current = tonumber(entry.gen)
if current < tonumber(presented) then
  -- Redis lost acknowledged rotations. A token that has not expired proves them.
  if expired == '1' then
    return { 'unknown' }
  end
  replace(0)
  return { 'healed', entry.gen }
end

-- Another token was minted as the presented generation: after a roll-back a chain has forked. Times are compared as text.
local minted
if current == tonumber(presented) then
  minted = entry.iat
elseif entry.gen == next_gen then
  minted = entry.parent_iat
end
if minted and minted ~= presented_iat then
  return reuse()
end

if current == tonumber(presented) then
  -- The count of late retries is reset only by a generation that had none.
  replace(entry.charged and entry.late or 0)
  return { 'rotated' }
end

-- The presented token is older than the live one.
local free = age < tonumber(retry_free)
if entry.gen == next_gen then
  local function repeated(late)
    return { 'repeated', entry.gen, entry.iat, entry.exp, entry.did, age, late }
  end
  if free then
    return repeated(0)
  end
  if age < tonumber(window) then
    if entry.charged then
      return repeated(1)
    end
    if entry.late < tonumber(late_retries) then
      redis.call('HSET', entry.key, 'late', entry.late + 1, 'charged', 1)
      return repeated(1)
    end
  end
end

if free then
  return { 'stale' }
end
return reuse()
