-- Notes an entry of the audit in the tenant's own slot, together with the change that it tells of. From there it goes to what tenants
-- share. It stands before the scripts of such changes.
-- Takes the queue (sorted set of "time.tag tenant text", all scores 0), "tag tenant text" or nothing for no entry, and the offset of the
-- clock in ms.
local function queueEntry(queue, entry, offset)
  if entry == '' then return end
  local t = redis.call('TIME')
  local time = tonumber(t[1]) * 1000000 + tonumber(t[2]) + tonumber(offset) * 1000
  redis.call('ZADD', queue, '0', string.format('%016.0f', time) .. '.' .. entry)
end

