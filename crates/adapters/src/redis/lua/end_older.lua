-- end_older: removes every entry whose epoch is below the given one, but for one session. Those of that epoch or a newer one stay.
--
-- KEYS  index
-- ARGV  epoch, kept sid ('' for none)
local epoch, kept = tonumber(ARGV[1]), ARGV[2]

local live, dead = load_all()
for _, gone in ipairs(dead) do
  redis.call('HDEL', index, gone)
end
for _, entry in ipairs(live) do
  if entry.epoch < epoch and entry.sid ~= kept then
    remove(entry.sid, entry.key)
  end
end
return redis.status_reply('OK')
