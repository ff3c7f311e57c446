-- Lists what happened after an event.
-- KEYS: 1 events (sorted set of "number-time kind tenant rest", by number)  2 the number of the last one
--       3 log of the audit (sorted set of "time.tag tenant text")
-- ARGV: 1 the id of the event that was seen last, as "number-time", empty where only the last one's is wanted  2 its number  3 how many
-- Gives: {1, the last id, event, its entry of the audit or empty, event, ...} an entry that is not kept any more is empty, too
--        | {0, the last id} the store does not know what came after
local function idAt(number)
  local event = redis.call('ZRANGEBYSCORE', KEYS[1], number, number)[1]
  return event and string.match(event, '^(%S+)')
end
local last = redis.call('GET', KEYS[2]) or '0'
local lastId = idAt(last) or '0-0'
if ARGV[1] == '' or ARGV[1] == lastId then return {1, lastId} end
-- Who has seen none has missed none, as long as the first is there.
if ARGV[1] ~= (ARGV[2] == '0' and idAt('1') and '0-0' or idAt(ARGV[2])) then return {0, lastId} end
local answer = {1, lastId}
for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf', 'LIMIT', '0', ARGV[3])) do
  local kind, id = string.match(event, '^%S+ (%S+) %S+ (%S+)')
  local entry
  if kind == 'audit' then entry = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. id .. ' ', '(' .. id .. '!', 'LIMIT', '0', '1')[1] end
  answer[#answer + 1] = event
  answer[#answer + 1] = entry or ''
end
return answer
