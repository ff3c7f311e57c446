-- Lists entries of a log, the latest first.
-- KEYS: 1 log (sorted set of "time.tag tenant text")  2 places (sorted set of "tenant time.tag")
-- ARGV: 1 tenant, or empty for all  2 what all entries come before: the beginning of an entry, or empty  3 what none comes before, or empty
--       4 how many
-- Gives: the entries
if ARGV[1] == '' then
  local to, from = '+', '-'
  if ARGV[2] ~= '' then to = '(' .. ARGV[2] end
  if ARGV[3] ~= '' then from = '[' .. ARGV[3] end
  return redis.call('ZREVRANGEBYLEX', KEYS[1], to, from, 'LIMIT', '0', ARGV[4])
end
local to, from = '(' .. ARGV[1] .. '!', '[' .. ARGV[1] .. ' ' .. ARGV[3]
if ARGV[2] ~= '' then to = '(' .. ARGV[1] .. ' ' .. ARGV[2] end
local entries = {}
for _, place in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[2], to, from, 'LIMIT', '0', ARGV[4])) do
  local id = string.sub(place, #ARGV[1] + 2)
  entries[#entries + 1] = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. id .. ' ', '(' .. id .. '!', 'LIMIT', '0', '1')[1]
end
return entries
