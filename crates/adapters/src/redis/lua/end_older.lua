-- end_older: removes all sessions with an epoch below this one, except one session.
--
-- KEYS  index
-- ARGV  epoch, sid of the exception ('' for none)
local epoch, kept = tonumber(ARGV[1]), ARGV[2]

local live, dead = load_all()
for _, dead_sid in ipairs(dead) do
  redis.call('HDEL', index, dead_sid)
end
for _, entry in ipairs(live) do
  if entry.epoch < epoch and entry.sid ~= kept then
    remove(entry.sid, entry.key)
  end
end
return redis.status_reply('OK')
