-- revoke_key: a key that signed tokens is revoked for good.
--
-- KEYS  the revoked keys
-- ARGV  kid
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1])
return redis.status_reply('OK')
