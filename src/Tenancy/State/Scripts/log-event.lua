-- Notes what happened for those who follow it, under the next number. It stands before scripts that keep entries of the audit and checks.
-- An event is "number-time kind tenant rest": the time in us tells whether the store still has the events that led to a number. Of an
-- entry of the audit the rest is its id, so that it is kept once. The last 10,000 are kept, and up to 100 more.
-- Takes the events (sorted set, by number), the number of the last one, and "kind tenant rest".
local function logEvent(events, numbers, event)
  local number = redis.call('INCR', numbers)
  local t = redis.call('TIME')
  local id = string.format('%.0f', number) .. '-' .. t[1] .. string.format('%06d', tonumber(t[2]))
  redis.call('ZADD', events, string.format('%.0f', number), id .. ' ' .. event)
  -- Now and then: the embedded store goes through all of them.
  if number % 100 == 0 then redis.call('ZREMRANGEBYSCORE', events, '-inf', string.format('%.0f', number - 10000)) end
end
-- Notes that a tenant's health or its reason is another than the one that was told last. The last 30 stay with the tenant, too.
-- Takes the tenant's metadata, the events, the number of the last one, the tenant's id, what was told last or nothing, and what it is now:
-- "health reason", and as JSON.
local function tellHealth(metadata, events, numbers, id, told, finding, json)
  local before = told or 'Pending '
  if before == finding then return end
  local health = string.match(before, '^(%S+)') .. ' ' .. json
  logEvent(events, numbers, 'health ' .. id .. ' ' .. health)
  local all = redis.call('HGET', metadata, 'healths')
  if all then
    local _, breaks = string.gsub(all, '\n', '')
    if breaks >= 29 then all = string.match(all, '\n(.*)$') end
    health = all .. '\n' .. health
  end
  redis.call('HSET', metadata, 'told', finding, 'healths', health)
end

