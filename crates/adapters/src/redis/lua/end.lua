-- end: removes these sessions; unknown ones are skipped.
--
-- KEYS  index
-- ARGV  the sids
for _, sid in ipairs(ARGV) do
  local value = redis.call('HGET', index, sid)
  if value then
    local _, key = locate(value)
    remove(sid, key)
  end
end
return redis.status_reply('OK')
