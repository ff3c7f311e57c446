-- Finds the session of a caller and makes it live its full time again.
-- KEYS: 1 session (hash)  2 sessions (sorted set of entries "epoch.caller hash.session hash", by expiry in ms)
--       3 uses (sorted set of the same entries, by last use in ms; in the future for what is in use)  4 generation
-- ARGV: 1 entry of the session  2 owner  3 lifetime in ms from now on, or empty to keep it  4 ms for which it has a stream, 0 where it has
--       none any more, or empty where that is not the question  5 full lifetime in ms  6 offset of the clock in ms, 0 outside tests
--       7 generation  8 id of the stream that 4 is about, or empty  9 '1' where that stream begins, and so is the session's
-- Gives: 1 it is this caller's | 2 it is, and had another stream until now | 0 there is no such session, it expired, it is another
--        caller's, or its stream is another one | -1 the tenant is at another generation
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[7] then return -1 end
local session = redis.call('HMGET', KEYS[1], 'owner', 'expiry', 'lifetime', 'stream')
if not session[1] or session[1] ~= ARGV[2] then return 0 end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[6])
if tonumber(session[2]) <= now then return 0 end
local done = 1
if ARGV[9] == '1' then
  if session[4] then done = 2 end
  redis.call('HSET', KEYS[1], 'stream', ARGV[8])
elseif ARGV[8] ~= '' and ARGV[4] ~= '0' and not session[4] then
  -- Nobody has it: the stream that had the place last ended after this one began.
  redis.call('HSET', KEYS[1], 'stream', ARGV[8])
elseif ARGV[8] ~= '' and session[4] ~= ARGV[8] then
  return 0
end
if ARGV[3] ~= '' then
  session[3] = ARGV[3]
  redis.call('HSET', KEYS[1], 'lifetime', ARGV[3])
end
local used = now
if ARGV[4] == '' then
  used = math.max(now, tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or '0'))
else
  used = now + tonumber(ARGV[4])
end
redis.call('ZADD', KEYS[3], string.format('%.0f', used), ARGV[1])
if ARGV[4] == '0' then
  redis.call('HDEL', KEYS[1], 'stream')
  return done
end
local lifetime = session[3] or ARGV[5]
local expiry = string.format('%.0f', now + tonumber(lifetime))
redis.call('HSET', KEYS[1], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], lifetime)
redis.call('ZADD', KEYS[2], 'XX', expiry, ARGV[1])
return done
