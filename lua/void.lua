-- Ends a batch that its process left in flight, after the ledger has recorded what became of it.
-- Repeating it changes nothing.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number the caller knows
-- ARGV[2] batch id, 16 raw bytes
-- ARGV[3] owed, as it stands in the deal's row after that record
-- ARGV[4] 1: the ledger recorded the batch as void, the admissions that still carry its id go and their
--         buyers are un-counted; 0: as taken, the admissions stay
--
-- Reply: {status, quantity}; {status} alone when it is not OPEN.
--    1  OPEN: the batch is in flight no more
--    2  MISSING: no gate, or one of an earlier deal; nothing was done
--    3  STALE_CALLER: the gate is of a later deal; nothing was done

local stock, admitted, buyers, inflight = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local batch, owed, was_void = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'

local gate = redis.call('HMGET', stock, 'deal', 'quantity', 'owed')
local status = standing(gate[1], tonumber(ARGV[1]))
if status ~= OPEN then
  return { status }
end
local quantity, seen = whole(gate[2], 'quantity'), whole(gate[3], 'owed')

-- The admissions that nobody has restamped since, and by how much their buyers are un-counted.
local voided, users, units_of = {}, {}, {}
local entry = redis.call('HGET', inflight, batch)
if entry and was_void then
  local _, prefix_len = string.find(entry, '^%d+ %d+ ')
  if not prefix_len then
    error('gate: a batch in flight is not as written')
  end
  local ids = ids_in(entry, prefix_len + 1)
  for i, admission in ipairs(fields_of(admitted, ids, 1, #ids)) do
    if admission and string.sub(admission, 1, ID_LEN) == batch then
      local user = string.sub(admission, ID_LEN + 1, 2 * ID_LEN)
      if not units_of[user] then
        users[#users + 1] = user
      end
      units_of[user] = (units_of[user] or 0) + whole(string.sub(admission, 2 * ID_LEN + 1), 'units of an admission')
      voided[#voided + 1] = ids[i]
    end
  end
end
local counts = #users > 0 and fields_of(buyers, users, 1, #users) or {}
local buyer_writes, gone = {}, {}
for i, count in ipairs(counts) do
  if count then
    local rest = whole(count, 'units of a buyer') - units_of[users[i]]
    if rest > 0 then
      buyer_writes[#buyer_writes + 1] = users[i]
      buyer_writes[#buyer_writes + 1] = rest
    else
      gone[#gone + 1] = users[i]
    end
  end
end

call_each('HSET', buyers, buyer_writes, 1, #buyer_writes)
call_each('HDEL', buyers, gone, 1, #gone)
call_each('HDEL', admitted, voided, 1, #voided)
redis.call('HDEL', inflight, batch)
return { OPEN, (hand_over(stock, quantity, seen, owed)) }
