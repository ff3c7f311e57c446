-- Notes that a tenant changed, under the next version. It stands before the scripts that change tenants.
-- A tag by version makes the history of changes recognisable: where a failover or a restore has lost the last changes, the same versions
-- come again, with other tags. The tags of the last 10,000 changes are kept.
-- Takes the version and the tag of the last change that the caller has made itself, both empty where there is none.
-- Gives: the version, its tag, and '0' where the caller's last change is lost, else '1'
local function logChange(id, version, changes, history, ownVersion, ownTag)
  local isSame = '1'
  if ownVersion ~= '' and redis.call('ZRANGEBYSCORE', history, ownVersion, ownVersion)[1] ~= ownTag then isSame = '0' end
  local next = string.format('%.0f', redis.call('INCR', version))
  local t = redis.call('TIME')
  local tag = next .. ' ' .. t[1] .. '.' .. t[2]
  redis.call('ZADD', changes, next, id)
  redis.call('ZADD', history, next, tag)
  redis.call('ZREMRANGEBYRANK', history, 0, -10001)
  return next, tag, isSame
end

