-- Finds the accounts that have documents of given ids.
-- KEYS: 1 documents (sorted set)  2 documents by id (sorted set, all scores 0: collection:id hash:account)
-- ARGV: 1 most accounts of an id  2 collection  3.. id hashes
-- Gives: {1, for each id: its accounts} | {0} the index by id is not complete: an older release wrote some of the documents
if redis.call('ZCARD', KEYS[1]) ~= redis.call('ZCARD', KEYS[2]) then return {0} end
local answer = {1}
for i = 3, #ARGV do
  local prefix = ARGV[2] .. ':' .. ARGV[i] .. ':'
  local accounts = redis.call('ZRANGEBYLEX', KEYS[2], '(' .. prefix, '(' .. prefix .. '\127', 'LIMIT', 0, ARGV[1])
  for j, entry in ipairs(accounts) do accounts[j] = string.sub(entry, #prefix + 1) end
  answer[#answer + 1] = accounts
end
return answer
