-- Keeps an entry in a log of what tenants share, and lets go of the oldest beyond the log's bounds. It stands before scripts that keep
-- entries.
-- An entry is "time.tag tenant text": the time in us, 16 digits, so that entries are in the order of their bytes. '-' stands for no tenant.
-- Takes: log (sorted set of entries, all scores 0), places (sorted set of "tenant time.tag", all scores 0), what the entries take up in
--        bytes (hash, by tenant, and 'of all'), the terms (the most entries, the most of one tenant, the most bytes, the most bytes of one
--        tenant, the longest age in ms, the offset of the clock in ms), the entry, and the events that it is one of with their last
--        number, as in log-event, or nothing. One that is kept already is left as it is.
local MOST_FORGOTTEN = 100
local function timeOf(terms)
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(string.match(terms, '(%S+)$')) * 1000
end
local function keepEntry(log, places, sizes, terms, entry, events, numbers)
  if redis.call('ZADD', log, '0', entry) == 0 then return end
  local id, tenant = string.match(entry, '^(%S+) (%S+) ')
  redis.call('ZADD', places, '0', tenant .. ' ' .. id)
  if events then logEvent(events, numbers, 'audit ' .. tenant .. ' ' .. id) end
  -- No tenant is called so: an id has no space.
  local bytes = redis.call('HINCRBY', sizes, 'of all', #entry)
  local most, mostOfTenant, mostBytes, mostBytesOfTenant, age = string.match(terms, '^(%S+) (%S+) (%S+) (%S+) (%S+)')
  local oldest = string.format('%016.0f', timeOf(terms) - tonumber(age) * 1000)
  local count, ofTenant, bytesOfTenant = redis.call('ZCARD', log), 0, 0
  if tenant ~= '-' then
    ofTenant = redis.call('ZLEXCOUNT', places, '[' .. tenant .. ' ', '(' .. tenant .. '!') - tonumber(mostOfTenant)
    bytesOfTenant = redis.call('HINCRBY', sizes, tenant, #entry) - tonumber(mostBytesOfTenant)
  end
  for _ = 1, MOST_FORGOTTEN do
    local gone, first
    if ofTenant > 0 or bytesOfTenant > 0 then
      local place = redis.call('ZRANGEBYLEX', places, '[' .. tenant .. ' ', '(' .. tenant .. '!', 'LIMIT', '0', '1')[1]
      first = place and string.sub(place, #tenant + 2)
      -- What is kept now stays, however large it is.
      if first == id and ofTenant <= 0 then first, bytesOfTenant = nil, 0 end
    end
    if first then
      gone = redis.call('ZRANGEBYLEX', log, '[' .. first .. ' ', '(' .. first .. '!', 'LIMIT', '0', '1')[1]
      if not gone then return end
    else
      gone = redis.call('ZRANGE', log, '0', '0')[1]
      if not gone then return end
      local isOver = count > tonumber(most) or bytes > tonumber(mostBytes)
      if not isOver and string.sub(gone, 1, 16) >= oldest then return end
    end
    local goneId, goneTenant = string.match(gone, '^(%S+) (%S+) ')
    redis.call('ZREM', log, gone)
    redis.call('ZREM', places, goneTenant .. ' ' .. goneId)
    count, bytes = count - 1, redis.call('HINCRBY', sizes, 'of all', -#gone)
    if goneTenant ~= '-' and redis.call('HINCRBY', sizes, goneTenant, -#gone) <= 0 then redis.call('HDEL', sizes, goneTenant) end
    if goneTenant == tenant then ofTenant, bytesOfTenant = ofTenant - 1, bytesOfTenant - #gone end
  end
end

