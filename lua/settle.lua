-- Hands the gate what it is owed, forgets the batches that are done, and tells how it stands.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number the caller knows
-- ARGV[2] owed, as it stands in the deal's row; it only grows, so an old number does nothing
-- ARGV[3] ids of batches that are done, 16 raw bytes each: they leave the in-flight list
-- ARGV[4] age in ms beyond which a batch in flight counts as stale
--
-- Reply: {status, quantity, owed seen, batches in flight, their units, stale batches}; {status} alone
-- when it is not OPEN.
--    1  OPEN: the figures hold
--    2  MISSING: no gate, or one of an earlier deal; nothing was done
--    3  STALE_CALLER: the gate is of a later deal; nothing was done

local stock, inflight = KEYS[1], KEYS[4]
local owed, done, stale_after = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

local gate = redis.call('HMGET', stock, 'deal', 'quantity', 'owed')
local status = standing(gate[1], tonumber(ARGV[1]))
if status ~= OPEN then
  return { status }
end
local quantity, seen = whole(gate[2], 'quantity'), whole(gate[3], 'owed')

local finished = {}
for _, id in ipairs(ids_in(done, 1)) do
  finished[id] = true
end
local entries = redis.call('HGETALL', inflight)
local now = now_ms()
local batches, units, stale = 0, 0, 0
for i = 1, #entries, 2 do
  if not finished[entries[i]] then
    local at, taken = string.match(entries[i + 1], '^(%d+) (%d+) ')
    batches = batches + 1
    units = units + whole(taken, 'units of a batch in flight')
    -- A time far ahead is as suspect as one long past: the server's clock, or the server, has changed.
    if math.abs(now - whole(at, 'time of a batch in flight')) > stale_after then
      stale = stale + 1
    end
  end
end

if done ~= '' then
  local ids = ids_in(done, 1)
  call_each('HDEL', inflight, ids, 1, #ids)
end
quantity, seen = hand_over(stock, quantity, seen, owed)
return { OPEN, quantity, seen, batches, units, stale }
