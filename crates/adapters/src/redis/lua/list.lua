-- list: the user's live sessions. Nothing is written, not even the dead are dropped, so that it runs on a replica and without memory.
--
-- KEYS  index
-- Answer: {sid, gen, iat, exp, rotated_at, did} of each
local live = load_all()
return seen(live)
