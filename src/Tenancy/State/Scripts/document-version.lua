-- Gives the version of the documents of an account, or of a caller itself: the time of their last change; and with it one of them, as it is
-- at the same moment. Where nobody asked for the version lately it begins now; from then on commits raise it.
-- KEYS: 1 generation  2 versions (sorted set, account by the time of its last change in us)  3 the document (hash), where one is wanted
-- ARGV: 1 generation  2 account  3 offset of the clock in ms, 0 outside tests
-- Gives: {version, or 0 where none can begin, because the store takes no writes; where one is wanted, and is there: its JSON, its revision,
--        the commit that wrote it last, its place in the index}
--        {-1} the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return {-1} end
local version = redis.call('ZSCORE', KEYS[2], ARGV[2])
if version then
  version = tonumber(version)
else
  local t = redis.call('TIME')
  version = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[3]) * 1000
  -- The oldest go first. A clock that fell back must not make this one the oldest.
  local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if last[2] then version = math.max(version, tonumber(last[2]) + 1) end
  -- A store that is full takes a write that needs no room, and after it this one. Without a version nothing that was read could be deleted.
  redis.pcall('PERSIST', KEYS[2])
  local begun = redis.pcall('ZADD', KEYS[2], string.format('%.0f', version), ARGV[2])
  if type(begun) == 'table' and begun.err then
    version = 0
  else
    -- Whoever remembers a document of an account whose version goes reads it anew.
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -10001)
    redis.call('PEXPIRE', KEYS[2], 7200000)
  end
end
local answer = {version}
if KEYS[3] then
  local stored = redis.call('HMGET', KEYS[3], 'json', 'revision', 'commit', 'place')
  if stored[1] then answer = {version, stored[1], stored[2], stored[3] or '', stored[4]} end
end
return answer
