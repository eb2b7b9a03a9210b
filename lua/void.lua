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

-- The admissions that nobody has restamped since.
local orders, batches = {}, {}
local entry = redis.call('HGET', inflight, batch)
if entry and was_void then
  local _, _, first = in_flight(entry)
  orders = first and ids_in(entry, first) or {}
  for i = 1, #orders do
    batches[i] = batch
  end
end
local plan = forgetting(admitted, buyers, orders, batches)

redis.call('HDEL', inflight, batch)
forget(admitted, buyers, plan)
return { OPEN, (hand_over(stock, quantity, seen, owed)) }
