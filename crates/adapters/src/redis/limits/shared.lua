-- Common to taking and giving back. All times are microseconds of Redis' own clock, formatted with %.0f: Lua would round them.
--
--   {limits}:<kind>:<digest>   string   full_at:told_until   TTL = until the later of the two
--
-- A bucket without a key is full.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- A bucket's state, capped at empty, since the clock or the rate may have changed.
local function load(key, depth)
  local value = redis.call('GET', key)
  if not value then
    return { full_at = now, told_until = now }
  end
  local full_at, told_until = string.match(value, '^(%d+):(%d+)$')
  if not full_at then
    error(redis.error_reply('CORRUPT ' .. key .. ' holds something that is not a bucket'))
  end
  return { full_at = math.min(tonumber(full_at), now + depth), told_until = math.min(tonumber(told_until), now + depth) }
end

local function store(key, bucket)
  local left = math.max(bucket.full_at, bucket.told_until) - now
  if left > 0 then
    redis.call('SET', key, string.format('%.0f:%.0f', bucket.full_at, bucket.told_until), 'PX', math.ceil(left / 1000))
  else
    redis.call('DEL', key)
  end
end
