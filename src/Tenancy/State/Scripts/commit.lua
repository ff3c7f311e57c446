-- Commits what a call wrote, and with it the answer to its idempotency key: checks everything first, then writes all of it or nothing.
-- KEYS: 1 generation  2 versions (sorted set, account by the time of its last change in us)
--       each document that was remembered (hash)
--       with a claim: record (hash); where the claim ends also: index of records (sorted set), sizes of answers (hash), the same two of
--       the caller, callers that have records (sorted set, by when all of them are gone), usage of the day (hash), days of it (sorted set,
--       "generation:day" by day)
--       with documents: documents (sorted set, all scores 0: account:collection:creation time:id hash), documents by id (sorted set, all
--       scores 0: collection:id hash:account), storage of the documents in bytes, that of each caller that created some (hash), time of the
--       last document in us, each document (hash), then the documents that some of them belong to (hash)
-- ARGV: 1 generation  2 offset of the clock in ms, 0 outside tests  3 name of this commit  4 1 where it is sent again, else 0
--       5 the claim: 0 there is none, 1 it goes on, 2 it ends with the answer  6 number of documents  7 most bytes of the documents
--       8 most bytes of those that one caller created  9 hash of the caller who is charged for what is created, or empty
--       10 number of things that the node remembered and the call used
--       each of these: for a document an empty text and the commit that wrote it; for a list the account and the version of that
--       with a claim: request, token; where it ends also: record hash, caller hash, answer, time of replay in ms, skew of clocks in ms,
--       "outcome tool" to count a call for or empty, its time in us, bytes, units, the day, the first day of which something may be
--         kept, ms for which one is
--       each document: what is expected (empty: nothing | r and a revision, with a blank and a place where that is known | p and a place),
--         what is to be done (new | keep | gone), revision, size in bytes, account, collection, id hash, operation,
--         number of the key of the document that it belongs to or 0, document
-- Gives: {1, accounts whose documents changed, of those that some node remembers, and their versions} committed, now or before
--        {1} committed before, and nothing is kept of the versions
--        {2, answer} another claim was completed before | {0} another claim is under way, or there is none
--        {3, 1} no room in the tenant | {3, 2} no room in the share of a caller
--        {4, number of a document} it, or the one that it belongs to, is not as expected
--        {5} something is not as it was remembered
--        {-1} the tenant is at another generation
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return {-1} end
local lastKey, lastArgument = 2, 10
local function key()
  lastKey = lastKey + 1
  return KEYS[lastKey]
end
local function argument()
  lastArgument = lastArgument + 1
  return ARGV[lastArgument]
end

local commit, isAgain, claim, count = ARGV[3], ARGV[4] == '1', ARGV[5], tonumber(ARGV[6])
local isStale = false
for _ = 1, tonumber(ARGV[10]) do
  local account, mark = argument(), argument()
  if account == '' then
    if (redis.call('HGET', key(), 'commit') or '') ~= mark then isStale = true end
  else
    -- Where no version stands, nobody knows what has changed.
    local stands = redis.call('ZSCORE', KEYS[2], account)
    if not stands or tonumber(stands) ~= tonumber(mark) then isStale = true end
  end
end
local record, records, sizes, callerRecords, callerSizes, callers, recordHash, caller, answer, replay, skew
local isDone, reply = false, {1}
local usage, usageDays, use, took, bytesUsed, units, day, firstDay, dayKept
if claim ~= '0' then
  record = key()
  local request, token = argument(), argument()
  local stored = redis.call('HMGET', record, 'request', 'token', 'response', 'flush', 'raised')
  if stored[1] ~= request then return {0} end
  if stored[2] ~= token then
    if stored[3] then return {2, stored[3]} end
    return {0}
  end
  -- This claim has its answer already: the commit is sent again because the reply was lost.
  if stored[3] then return {1} end
  -- This was flushed already: it is sent again, now perhaps with the answer, because the reply was lost.
  if count > 0 and stored[4] == commit then
    isDone = true
    for part in string.gmatch(stored[5], '%S+') do reply[#reply + 1] = part end
  end
  if claim == '2' then
    records, sizes, callerRecords, callerSizes, callers = key(), key(), key(), key(), key()
    usage, usageDays = key(), key()
    recordHash, caller, answer, replay, skew = argument(), argument(), argument(), tonumber(argument()), tonumber(argument())
    use, took, bytesUsed, units, day, firstDay, dayKept = argument(), argument(), argument(), argument(), argument(), argument(), argument()
  end
end

local documents, ids, storage, shares, lastTime, writes, changed, isExcused = nil, nil, nil, nil, nil, {}, 0, isAgain and claim ~= '2'
local growth, growths = 0, {}
local function charge(creator, bytes)
  growth = growth + bytes
  if creator and creator ~= '' then growths[creator] = (growths[creator] or 0) + bytes end
end
if count > 0 then documents, ids, storage, shares, lastTime = key(), key(), key(), key(), key() end
for i = 1, count do
  local w = { key = key(), expected = argument(), action = argument(), revision = argument(), size = argument() }
  w.account, w.collection, w.id, w.operation = argument(), argument(), argument(), argument()
  local owner = tonumber(argument())
  w.json = argument()
  local stored = redis.call('HMGET', w.key, 'revision', 'place', 'size', 'commit', 'creator')
  w.place = stored[2]
  if stored[4] == commit then isDone = true end
  local kind, value = string.sub(w.expected, 1, 1), string.sub(w.expected, 2)
  local isExpected
  if kind == 'r' then isExpected = stored[1] == value or (stored[1] and stored[2] and stored[1] .. ' ' .. stored[2] == value)
  elseif kind == 'p' then isExpected = stored[2] == value
  else isExpected = not stored[1] end
  if owner > 0 and redis.call('EXISTS', KEYS[owner]) == 0 then isExpected = false end
  if not isExpected then
    if changed == 0 then changed = i end
    if stored[1] then isExcused = false end
  end
  if w.action == 'gone' then
    if isExpected and w.place then charge(stored[5], -tonumber(stored[3])) else w.place = false end
  else
    isExcused = false
    -- Whoever changes it, its creator is charged for it.
    if stored[3] then charge(stored[5], -tonumber(stored[3])) end
    if w.action == 'new' then charge(ARGV[9], tonumber(w.size)) else charge(stored[5], tonumber(w.size)) end
  end
  writes[i] = w
end
-- One document has the name of this commit, so that all of it was written: a commit is never written in part.
if isDone then
  if claim ~= '2' then return reply end
  writes, changed, growth, growths, isStale = {}, 0, 0, {}, false
end
-- A commit that only deletes leaves no document that could have its name. So when it is sent again, documents that are gone are no
-- conflict. Others in their place are, and so is a claim that would keep the answer.
if changed > 0 and not isExcused then return {4, changed} end
if isStale and changed == 0 then return {5} end
if growth > 0 and tonumber(redis.call('GET', storage) or '0') + growth > tonumber(ARGV[7]) then return {3, 1} end
for creator, bytes in pairs(growths) do
  if bytes > 0 and tonumber(redis.call('HGET', shares, creator) or '0') + bytes > tonumber(ARGV[8]) then return {3, 2} end
end

if growth < 0 and claim ~= '2' then
  -- A full store refuses what takes memory, until a script has written something: this changes nothing, and lets a deletion free some.
  redis.call('PERSIST', documents)
end
local t = redis.call('TIME')
local micros = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(ARGV[2]) * 1000
local now, isRaised, isNew = micros, {}, false
for _, w in ipairs(writes) do
  -- Only accounts that some node remembers documents of have a version.
  if not isRaised[w.account] then
    isRaised[w.account] = true
    local version = redis.call('ZSCORE', KEYS[2], w.account)
    if version then
      version = string.format('%.0f', math.max(now, tonumber(version) + 1))
      redis.call('ZADD', KEYS[2], version, w.account)
      reply[#reply + 1] = w.account
      reply[#reply + 1] = version
    end
  end
  local byId = w.collection .. ':' .. w.id .. ':' .. w.account
  if w.action ~= 'keep' and w.place then
    redis.call('DEL', w.key)
    redis.call('ZREM', documents, w.place)
    redis.call('ZREM', ids, byId)
  end
  if w.action == 'new' then
    -- Documents are listed in the order in which they were written, also where the clock of the store has fallen back: who reads page by
    -- page finds what is new, and no place comes again.
    if not isNew then micros = math.max(micros, tonumber(redis.call('GET', lastTime) or '0') + 1) end
    isNew = true
    local place = w.account .. ':' .. w.collection .. ':' .. string.format('%016.0f', micros) .. ':' .. w.id
    micros = micros + 1
    redis.call('HSET', w.key, 'json', w.json, 'revision', w.revision, 'operation', w.operation, 'size', w.size,
      'place', place, 'commit', commit, 'creator', ARGV[9])
    redis.call('ZADD', documents, '0', place)
    redis.call('ZADD', ids, '0', byId)
  elseif w.action == 'keep' then
    redis.call('HSET', w.key, 'json', w.json, 'revision', w.revision, 'size', w.size, 'commit', commit)
  end
end
if isNew then redis.call('SET', lastTime, string.format('%.0f', micros - 1)) end
if growth ~= 0 then redis.call('INCRBY', storage, string.format('%.0f', growth)) end
for creator, bytes in pairs(growths) do
  if bytes ~= 0 and redis.call('HINCRBY', shares, creator, string.format('%.0f', bytes)) <= 0 then
    redis.call('HDEL', shares, creator)
  end
end

if claim == '1' and #writes > 0 then
  redis.call('HSET', record, 'flush', commit, 'raised', table.concat(reply, ' ', 2))
end
if claim == '2' then
  now = math.floor(now / 1000)
  local expiry = string.format('%.0f', now + replay)
  redis.call('HSET', record, 'response', answer, 'expiry', expiry)
  redis.call('HDEL', record, 'lease', 'flush', 'raised')
  redis.call('PEXPIRE', record, string.format('%.0f', replay + skew))
  redis.call('ZADD', records, expiry, recordHash)
  redis.call('ZADD', callerRecords, expiry, recordHash)
  redis.call('PEXPIRE', callerRecords, string.format('%.0f', replay + skew))
  for _, bytes in ipairs({sizes, callerSizes}) do
    redis.call('HINCRBY', bytes, string.format('%.0f', math.floor((now + replay) / 3600000)), #answer)
    redis.call('PEXPIRE', bytes, string.format('%.0f', replay + skew + 3600000))
  end
  redis.call('ZADD', callers, string.format('%.0f', now + replay + skew + 3600000), caller)
  local life = 2 * replay + skew
  if redis.call('PTTL', callers) < life then redis.call('PEXPIRE', callers, string.format('%.0f', life)) end
  if redis.call('PTTL', records) < life then redis.call('PEXPIRE', records, string.format('%.0f', life)) end
  if use ~= '' then
    redis.call('HINCRBY', usage, 'calls ' .. use, '1')
    redis.call('HINCRBY', usage, 'micros ' .. use, took)
    redis.call('HINCRBY', usage, 'bytes ' .. use, bytesUsed)
    if units ~= '0' then redis.call('HINCRBY', usage, 'units ' .. use, units) end
    redis.call('PEXPIRE', usage, dayKept)
    redis.call('ZADD', usageDays, day, ARGV[1] .. ':' .. day)
    redis.call('ZREMRANGEBYSCORE', usageDays, '-inf', '(' .. firstDay)
  end
end
return reply
