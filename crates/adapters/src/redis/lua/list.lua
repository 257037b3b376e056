-- list: the user's live sessions. Writes nothing, not even to remove dead entries, so that it needs no memory.
--
-- KEYS  index
-- Answer: {sid, gen, iat, exp, rotated_at, did} of each
local live = load_all()
return rows(live)
