-- give_back: puts one back into each bucket.
--
-- KEYS  the buckets
-- ARGV  interval and depth of each
for i, key in ipairs(KEYS) do
  local bucket = load(key, tonumber(ARGV[2 * i]))
  bucket.full_at = bucket.full_at - tonumber(ARGV[2 * i - 1])
  store(key, bucket)
end
