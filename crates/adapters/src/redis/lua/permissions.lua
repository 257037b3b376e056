-- Tries each command of the other scripts on keys that do not exist, in a way that changes nothing, and answers the names of those that
-- the user may not run. Other errors come after the check of permissions and count for nothing.
local session, limit = ARGV[1], ARGV[2]
local commands = {
  { 'TIME' },
  { 'HGET', session, 'f' },
  { 'HMGET', session, 'f' },
  { 'HGETALL', session },
  -- A field without its value.
  { 'HSET', session, 'f', 'v', 'f' },
  { 'HDEL', session, 'f' },
  { 'RENAME', session, session },
  { 'PEXPIRE', session, '1' },
  { 'PTTL', session },
  { 'DEL', session },
  { 'GET', limit },
  -- Only if it exists.
  { 'SET', limit, 'v', 'XX', 'PX', '1' },
  { 'DEL', limit },
}
-- Words of Redis 7.0, 7.2 and later, and Valkey.
local refusals = { 'The user executing the script', 'ACL failure', 'NOPERM' }
local function is_refusal(error)
  for _, words in ipairs(refusals) do
    if string.find(error, words, 1, true) then return true end
  end
  return false
end
local denied = {}
for _, words in ipairs(commands) do
  local reply = redis.pcall(unpack(words))
  if type(reply) == 'table' and reply.err and is_refusal(reply.err) then
    denied[#denied + 1] = words[1]
  end
end
return denied
