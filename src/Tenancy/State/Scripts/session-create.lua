-- Records a session of a caller.
-- KEYS: 1 session (hash)  2 sessions (sorted set of session hashes by expiry in ms)
-- ARGV: 1 session hash  2 caller  3 lifetime in ms  4 offset of the clock in ms, 0 outside tests
-- Gives: 1
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[4])
local expiry = string.format('%.0f', now + tonumber(ARGV[3]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
redis.call('HSET', KEYS[1], 'caller', ARGV[2], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], expiry, ARGV[1])
return 1
