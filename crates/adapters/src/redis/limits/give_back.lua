-- give_back: puts back what was taken.
--
-- KEYS  the buckets
-- ARGV  interval, depth of each
for i, key in ipairs(KEYS) do
  local bucket = load(key, tonumber(ARGV[2 * i]))
  bucket.full_at = bucket.full_at - tonumber(ARGV[2 * i - 1])
  store(key, bucket)
end
