-- Common to all scripts; it comes before each of them. The layout of keys is in docs/sessions.md, and all keys of a user are in one hash
-- slot:
--
--   KEYS[1]            {<uid>}:sessions   hash   sid -> gen:jti
--   prefix .. jti      {<uid>}:<jti>      hash   gen[:iat of the parent] iat exp rotated_at [late] [did] [epoch] [charged] [reused]
--
-- A field in brackets is missing while it has its default (0, none, 0, 0, 0). The parent is the token that this one replaced. Its iat stands
-- in a field that earlier releases write with each rotation and never read, so that theirs leaves no iat of an older parent
-- behind; they write the sid, too. An index entry without a key is dead and does not count.
-- Generations stay text wherever they are written: Lua would round a large number when it becomes text.

local index = KEYS[1]
local prefix = string.sub(index, 1, -#'sessions' - 1)

-- Redis' own clock, in milliseconds.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Parses a value of the index: the generation (text) and the key of the token.
local function locate(value)
  local gen, jti = string.match(value, '^(%d+):(.+)$')
  if not gen then
    error(redis.error_reply('CORRUPT ' .. index .. ' holds something that is not gen:jti'))
  end
  return gen, prefix .. jti
end

-- The entry for a value of the index; nil if it is dead.
local function load(sid, value)
  local gen, key = locate(value)
  local field = redis.call('HMGET', key, 'iat', 'exp', 'rotated_at', 'late', 'did', 'epoch', 'charged', 'reused', 'gen')
  if not field[3] then
    return nil
  end
  return {
    sid = sid, gen = gen, key = key, iat = field[1], exp = field[2], rotated_at = tonumber(field[3]),
    late = tonumber(field[4] or 0), did = field[5] or '', epoch = tonumber(field[6] or 0), charged = field[7] == '1',
    reused = field[8] == '1', parent_iat = string.match(field[9] or '', ':(.+)$'),
  }
end

-- The user's live entries, and the sids of the dead ones.
local function load_all()
  local live, dead = {}, {}
  local values = redis.call('HGETALL', index)
  for i = 1, #values, 2 do
    local entry = load(values[i], values[i + 1])
    if entry then
      live[#live + 1] = entry
    else
      dead[#dead + 1] = values[i]
    end
  end
  return live, dead
end

-- Removes a session. Redis removes an index without fields itself.
local function remove(sid, key)
  redis.call('DEL', key)
  redis.call('HDEL', index, sid)
end

-- Writes an entry to its key, which is new or has just been renamed. It expires after its token's lifetime (exp - iat), from now on.
local function store(entry)
  local gen = entry.parent_iat and entry.gen .. ':' .. entry.parent_iat or entry.gen
  local set = { 'gen', gen, 'iat', entry.iat, 'exp', entry.exp, 'rotated_at', entry.rotated_at }
  local clear = { 'charged', 'reused', 'sid' }
  for _, name in ipairs({ 'late', 'did', 'epoch' }) do
    local value = entry[name]
    if value == 0 or value == '' then
      clear[#clear + 1] = name
    else
      set[#set + 1], set[#set + 2] = name, value
    end
  end
  redis.call('HSET', entry.key, unpack(set))
  redis.call('HDEL', entry.key, unpack(clear))
  local life = math.max(0, tonumber(entry.exp) - tonumber(entry.iat)) * 1000
  redis.call('PEXPIRE', entry.key, life)
  redis.call('HSET', index, entry.sid, entry.gen .. ':' .. string.sub(entry.key, #prefix + 1))
  -- The index lives at least as long as the longest of its sessions.
  if redis.call('PTTL', index) < life then
    redis.call('PEXPIRE', index, life)
  end
end

-- The entries as an answer, without those whose token was found reused: they are about to be removed.
local function rows(entries)
  local answer = {}
  for _, entry in ipairs(entries) do
    if not entry.reused then
      answer[#answer + 1] = { entry.sid, entry.gen, entry.iat, entry.exp, entry.rotated_at, entry.did }
    end
  end
  return answer
end
