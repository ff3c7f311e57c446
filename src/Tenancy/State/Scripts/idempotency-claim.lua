-- Claims a key for a request, or says why it cannot be: it was used, is being used, or there is no room for one more.
-- KEYS: 1 record (hash)  2 index (sorted set, record hashes by end of replay in ms)
--       3 inserts of the caller and account (hash, count by second)  4 secret of the tenant
--       5 sizes (hash, bytes of the answers by the hour since 1970 in which their replay ends)  6 generation
--       7 records of the caller (sorted set)  8 sizes of the caller (hash)  9 callers that have records (sorted set, by when all are gone)
-- ARGV: 1 record hash  2 request  3 token of this claim  4 lease in ms  5 time of replay in ms  6 skew of clocks in ms  7 most records
--       8 most inserts in 60 s  9 most inserts in 10 s  10 a random secret, for a tenant that has none
--       11 offset of the clock in ms, 0 outside tests
--       12 most bytes of answers  13 generation  14 caller hash  15 most records of the caller  16 most bytes of the caller's answers
--       17 most bytes of a response that comes along
-- Gives: {1, secret, 1 where another claim of this request ended unanswered, else 0} claimed, now or when it was sent before
--        | {2, response} done before | {2} done before, and the response is to be read where large reads do not hold others up
--        | {3, ms until the lease ends} being done | {4} used for another request
--        {5} used too long ago to be replayed | {6, ms until an insert may come} too many inserts
--        | {7, ms until some go, 1 where they are the caller's, 0 where they are the tenant's} too many records or bytes
--        {-1} the tenant is at another generation
if (redis.call('GET', KEYS[6]) or '0') ~= ARGV[13] then return {-1} end
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[11])
local replay, skew = tonumber(ARGV[5]), tonumber(ARGV[6])

local function claim(isTakenOver)
  redis.call('HSET', KEYS[1], 'token', ARGV[3], 'lease', string.format('%.0f', now + tonumber(ARGV[4])), 'over', isTakenOver)
  local secret = redis.call('GET', KEYS[4])
  if not secret then
    secret = ARGV[10]
    redis.call('SET', KEYS[4], secret)
  end
  return {1, secret, isTakenOver}
end

local stored = redis.call('HMGET', KEYS[1], 'request', 'lease', 'expiry', 'token', 'over')
if stored[1] and now < tonumber(stored[3]) + skew then
  if stored[1] ~= ARGV[2] then return {4} end
  if redis.call('HSTRLEN', KEYS[1], 'response') > tonumber(ARGV[17]) then return {2} end
  local response = redis.call('HGET', KEYS[1], 'response')
  if response then return {2, response} end
  -- The same claim: it is sent again because the reply was lost.
  if stored[4] == ARGV[3] then return {1, redis.call('GET', KEYS[4]), tonumber(stored[5] or '0')} end
  local left = tonumber(stored[2]) - now
  if left > 0 then return {3, left} end
  -- The lease is over: the node that had the claim died or hangs. Another one gets the claim, for the same operation.
  return claim(1)
end

-- An entry of the index outlives its record by the time of replay, so that a key that was used is refused, and not run again. Entries that
-- are over go in batches, because everybody waits for this script. A claim adds one entry at most, so that the batches keep up.
local over = now - skew - replay
local function clear(index, before)
  local gone = redis.call('ZRANGEBYSCORE', index, '-inf', string.format('%.0f', before), 'LIMIT', 0, 200)
  if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
end
clear(KEYS[2], over)
clear(KEYS[7], now - skew)
clear(KEYS[9], now)
local seen = redis.call('ZSCORE', KEYS[2], ARGV[1])
if seen and tonumber(seen) > over then return {5} end

local live = '(' .. string.format('%.0f', now - skew)
local function hasRoomForRecord(index, most)
  if redis.call('ZCOUNT', index, live, '+inf') < tonumber(most) then return true end
  local first = redis.call('ZRANGEBYSCORE', index, live, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return false, tonumber(first[2]) + skew - now
end

-- Only new claims are refused here. A request that has its claim always completes, so that the bytes may exceed their most by the answers
-- of the requests under way.
local function hasRoomForAnswer(key, most)
  local bytes, ends = 0, nil
  local sizes = redis.call('HGETALL', key)
  for i = 1, #sizes, 2 do
    local gone = (tonumber(sizes[i]) + 1) * 3600000 + skew
    if gone <= now then
      redis.call('HDEL', key, sizes[i])
    else
      bytes = bytes + tonumber(sizes[i + 1])
      if not ends or gone < ends then ends = gone end
    end
  end
  if bytes < tonumber(most) then return true end
  return false, ends - now
end

for share, room in ipairs({{KEYS[2], ARGV[7], KEYS[5], ARGV[12]}, {KEYS[7], ARGV[15], KEYS[8], ARGV[16]}}) do
  local hasRoom, wait = hasRoomForRecord(room[1], room[2])
  if hasRoom then hasRoom, wait = hasRoomForAnswer(room[3], room[4]) end
  if not hasRoom then return {7, wait, share - 1} end
end

local second = math.floor(now / 1000)
local minute, burst, oldest, oldestBurst = 0, 0, second, second
local counts = redis.call('HGETALL', KEYS[3])
for i = 1, #counts, 2 do
  local at, count = tonumber(counts[i]), tonumber(counts[i + 1])
  if at <= second - 60 then
    redis.call('HDEL', KEYS[3], counts[i])
  else
    minute = minute + count
    if at < oldest then oldest = at end
    if at > second - 10 then
      burst = burst + count
      if at < oldestBurst then oldestBurst = at end
    end
  end
end
if minute >= tonumber(ARGV[8]) then return {6, (oldest + 60) * 1000 - now} end
if burst >= tonumber(ARGV[9]) then return {6, (oldestBurst + 10) * 1000 - now} end
redis.call('HINCRBY', KEYS[3], string.format('%.0f', second), 1)
redis.call('PEXPIRE', KEYS[3], 61000)

local expiry = string.format('%.0f', now + replay)
redis.call('HSET', KEYS[1], 'request', ARGV[2], 'expiry', expiry)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', replay + skew))
redis.call('ZADD', KEYS[2], expiry, ARGV[1])
redis.call('ZADD', KEYS[7], expiry, ARGV[1])
redis.call('PEXPIRE', KEYS[7], string.format('%.0f', replay + skew))
redis.call('ZADD', KEYS[9], string.format('%.0f', now + replay + skew + 3600000), ARGV[14])
local life = 2 * replay + skew
if redis.call('PTTL', KEYS[9]) < life then redis.call('PEXPIRE', KEYS[9], string.format('%.0f', life)) end
if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], string.format('%.0f', life)) end
return claim(0)
