-- begin: adds the first token of a session, and answers the user's other live sessions.
--
-- KEYS  index, the token's key
-- ARGV  sid, gen, iat, exp, did ('' for none), epoch, ceiling
-- Answer: {sid, gen, iat, exp, rotated_at, did} of each other session
local sid, gen, iat, exp, did, epoch, ceiling = unpack(ARGV)

local live, dead = load_all()
for _, dead_sid in ipairs(dead) do
  redis.call('HDEL', index, dead_sid)
end

-- A session that exists already is replaced.
local others = {}
for _, entry in ipairs(live) do
  if entry.sid == sid then
    remove(entry.sid, entry.key)
  elseif not entry.reused then
    others[#others + 1] = entry
  end
end

-- Above the ceiling the least recently rotated sessions are removed, but never the new one, nor one whose token was found reused.
table.sort(others, function(a, b)
  if a.rotated_at ~= b.rotated_at then
    return a.rotated_at > b.rotated_at
  end
  return a.sid > b.sid
end)
while #others > 0 and #others + 1 > tonumber(ceiling) do
  local oldest = table.remove(others)
  remove(oldest.sid, oldest.key)
end

store({ sid = sid, gen = gen, key = KEYS[2], iat = iat, exp = exp, rotated_at = clock(), late = 0, did = did, epoch = tonumber(epoch) })
return rows(others)
