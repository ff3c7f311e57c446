-- Finds the places of the first documents of several accounts, in the order of the accounts.
-- KEYS: 1 documents (sorted set, all scores 0: account:collection:creation time:id hash)
-- ARGV: 1 most places  2 collection  3 where to begin in the first account: empty, or the end of a place  4.. accounts
-- Gives: places
local found = {}
for i = 4, #ARGV do
  local prefix = ARGV[i] .. ':' .. ARGV[2] .. ':'
  local from = '(' .. prefix
  if i == 4 then from = from .. ARGV[3] end
  local page = redis.call('ZRANGEBYLEX', KEYS[1], from, '(' .. prefix .. '\127', 'LIMIT', 0, tonumber(ARGV[1]) - #found)
  for _, place in ipairs(page) do found[#found + 1] = place end
  if #found >= tonumber(ARGV[1]) then break end
end
return found
