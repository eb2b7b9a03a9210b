-- Hands the gate what it is owed, forgets the batches that are done, and tells how it stands.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number the caller knows
-- ARGV[2] owed, as it stands in the deal's row; it only grows, so an old number does nothing
-- ARGV[3] ids of batches that are done, 16 raw bytes each: they leave the in-flight list
-- ARGV[4] what the ledger did not take of them: an order id and a batch id, 16 raw bytes each, and so
--         on; admissions that still carry that batch's id go, and their buyers are un-counted
-- ARGV[5] age in ms beyond which a batch in flight counts as stale
--
-- A batch in flight that cannot be read goes too: what it took is missed by the reconciler.
--
-- Reply: {status, quantity, owed seen, batches in flight, their units, stale batches}; {status} alone
-- when it is not OPEN.
--    1  OPEN: the figures hold
--    2  MISSING: no gate, or one of an earlier deal; nothing was done
--    3  STALE_CALLER: the gate is of a later deal; nothing was done

local stock, admitted, buyers, inflight = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owed, done, stale_after = tonumber(ARGV[2]), ids_in(ARGV[3], 1), tonumber(ARGV[5])

local gate = redis.call('HMGET', stock, 'deal', 'quantity', 'owed')
local status = standing(gate[1], tonumber(ARGV[1]))
if status ~= OPEN then
  return { status }
end
local quantity, seen = whole(gate[2], 'quantity'), whole(gate[3], 'owed')

local plan = forgetting_pairs(admitted, buyers, ARGV[4])
local finished = {}
for _, id in ipairs(done) do
  finished[id] = true
end
local entries = redis.call('HGETALL', inflight)
local now = now_ms()
local batches, units, stale = 0, 0, 0
for i = 1, #entries, 2 do
  if not finished[entries[i]] then
    local at, taken = in_flight(entries[i + 1])
    if at and #entries[i] == ID_LEN then
      batches = batches + 1
      units = units + taken
      -- A time far ahead is as suspect as one long past: the server's clock, or the server, has changed.
      if math.abs(now - at) > stale_after then
        stale = stale + 1
      end
    else
      done[#done + 1] = entries[i]
    end
  end
end

call_each('HDEL', inflight, done, 1, #done)
forget(admitted, buyers, plan)
quantity, seen = hand_over(stock, quantity, seen, owed)
return { OPEN, quantity, seen, batches, units, stale }
