-- Keeps what the client of a session said.
-- KEYS: 1 session (hash)  2 generation
-- ARGV: 1 owner  2 field: client, what it said when the session began, or level, the log level that it asked for  3 what it said
--       4 generation
-- Gives: 1 kept | 0 there is no such session, or it is another's | -1 the tenant is at another generation
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[4] then return -1 end
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
