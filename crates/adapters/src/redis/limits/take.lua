-- take: takes one from each bucket, or from none.
--
-- KEYS  the buckets
-- ARGV  interval and depth of each
-- Answer: 1, then remaining and full_after of each; or 0, then index (from 0), retry_after and first (1 or 0) of each empty one
local buckets, empty = {}, { 0 }
for i, key in ipairs(KEYS) do
  local interval, depth = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local bucket = load(key, depth)
  local full_at = math.max(bucket.full_at, now) + interval
  local missing = full_at - now
  if missing > depth then
    local first = bucket.told_until <= now
    if first then
      bucket.told_until = now + depth
      store(key, bucket)
    end
    empty[#empty + 1], empty[#empty + 2], empty[#empty + 3] = i - 1, missing - depth, first and 1 or 0
  end
  bucket.full_at = full_at
  bucket.remaining = math.floor((depth - missing) / interval)
  buckets[i] = bucket
end
if #empty > 1 then
  return empty
end

local levels = { 1 }
for i, key in ipairs(KEYS) do
  store(key, buckets[i])
  levels[#levels + 1], levels[#levels + 2] = buckets[i].remaining, buckets[i].full_at - now
end
return levels
