-- revoked_keys: when each of these keys was revoked, in seconds; none for one that was not.
--
-- KEYS  the revoked keys
-- ARGV  the kids, one at least
return redis.call('HMGET', KEYS[1], unpack(ARGV))
