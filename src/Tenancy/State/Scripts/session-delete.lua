-- Forgets a session of a caller.
-- KEYS: 1 session (hash)  2 sessions (sorted set of session hashes by expiry in ms)
-- ARGV: 1 session hash  2 caller
-- Gives: 1 forgotten | 0 it is not this caller's
if redis.call('HGET', KEYS[1], 'caller') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
