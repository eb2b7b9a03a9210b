-- Admits the requests of one batch, in their order, as far as the quantity and the buyers' limits go.
--
-- KEYS[1] hotdeal:stock:{p}     KEYS[2] hotdeal:admitted:{p}
-- KEYS[3] hotdeal:buyers:{p}    KEYS[4] hotdeal:inflight:{p}
--
-- ARGV[1] deal number the caller knows
-- ARGV[2] batch id, 16 raw bytes; one id is for one call
-- ARGV[3] ids of batches that are done, 16 raw bytes each: they leave the in-flight list
-- ARGV[4] what the ledger did not take of them: an order id and a batch id, 16 raw bytes each, and so
--         on; admissions that still carry that batch's id go first, and their buyers are un-counted
-- ARGV[5] MessagePack array: for each request its units, negative: do not check the buyer's limit
-- ARGV[6] … one order id for each request, 16 raw bytes
-- then    … one admission for each request, as it is stored: batch id, user id, units in digits
--
-- Reply: {status, quantity left, one verdict for each request}; {status} alone when it is not OPEN.
--    1  OPEN: the verdicts hold
--    2  MISSING: no gate, or one of an earlier deal; nothing was done
--    3  STALE_CALLER: the gate is of a later deal; nothing was done
--   10  ADMITTED: the units are taken now
--   11  PASSED: admitted before, nothing is taken; the admission now carries this batch's id
--   12  TOO_FEW: something is left, but not enough
--   13  SOLD_OUT: nothing is left
--   14  LIMITED: the buyer would have more than the deal's limit

local ADMITTED, PASSED, TOO_FEW, SOLD_OUT, LIMITED = 10, 11, 12, 13, 14
local BEFORE_IDS = 5
local USER_FIRST, USER_LAST = ID_LEN + 1, 2 * ID_LEN

local stock, admitted, buyers, inflight = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local args = ARGV
local batch, done, not_taken = args[2], args[3], args[4]

local gate = redis.call('HMGET', stock, 'deal', 'quantity', 'owed', 'per_user_limit')
local status = standing(gate[1], tonumber(args[1]))
if status ~= OPEN then
  return { status }
end
local quantity = whole(gate[2], 'quantity')
-- A gate that cannot be handed what it is owed must not admit either: its units would be lost to it.
whole(gate[3], 'owed')
local limit = gate[4] and whole(gate[4], 'per_user_limit')

local asked = cmsgpack.unpack(args[5])
local count = #asked
local before_admissions = BEFORE_IDS + count
if #args ~= before_admissions + count then
  error('gate: not one order id and one admission for each request')
end

-- Whole in itself, should anything below stop the script. An order whose admission goes takes again.
if done ~= '' then
  local ids, plan = ids_in(done, 1), forgetting_pairs(admitted, buyers, not_taken)
  call_each('HDEL', inflight, ids, 1, #ids)
  forget(admitted, buyers, plan)
end
local earlier = fields_of(admitted, args, BEFORE_IDS + 1, before_admissions)

-- Units of each buyer, as they grow while the batch is gone through.
local users, bought
if limit then
  users, bought = {}, {}
  for i = 1, count do
    users[i] = string.sub(args[before_admissions + i], USER_FIRST, USER_LAST)
  end
  for i, units in ipairs(fields_of(buyers, users, 1, count)) do
    bought[users[i]] = units and whole(units, 'units of a buyer') or 0
  end
end

local sub = string.sub
local reply = { OPEN, quantity }
local here = {}                     -- order ids that this very call admitted or passed
local concerned, concerned_len = {}, 0
local writes, writes_len = {}, 0    -- order id, admission, order id, admission, …
local buyer_writes = {}
local left = quantity

for i = 1, count do
  local id = args[BEFORE_IDS + i]
  local verdict, admission
  if here[id] then
    verdict = PASSED
  elseif earlier[i] then
    verdict = PASSED
    -- What was taken stays on record, whatever this request asks for.
    admission = batch .. sub(earlier[i], USER_FIRST)
  else
    local units = asked[i]
    local unlimited = units < 0
    if unlimited then
      units = -units
    end
    if units > left then
      verdict = left > 0 and TOO_FEW or SOLD_OUT
    elseif limit and not unlimited and bought[users[i]] + units > limit then
      verdict = LIMITED
    else
      verdict = ADMITTED
      admission = args[before_admissions + i]
      left = left - units
      if limit then
        local total = bought[users[i]] + units
        bought[users[i]] = total
        buyer_writes[#buyer_writes + 1] = users[i]
        buyer_writes[#buyer_writes + 1] = total
      end
    end
  end
  if admission then
    here[id] = true
    concerned_len = concerned_len + 1
    concerned[concerned_len] = id
    writes[writes_len + 1] = id
    writes[writes_len + 2] = admission
    writes_len = writes_len + 2
  end
  reply[i + 2] = verdict
end

-- The in-flight list comes first: it is the one key not read yet, and if it is of a wrong type the
-- script stops here.
if writes_len > 0 then
  local entry = string.format('%.0f %.0f ', now_ms(), quantity - left) .. table.concat(concerned)
  redis.call('HSET', inflight, batch, entry)
  call_each('HSET', admitted, writes, 1, writes_len)
  if left ~= quantity then
    call_each('HSET', buyers, buyer_writes, 1, #buyer_writes)
    redis.call('HSET', stock, 'quantity', left)
  end
end

reply[2] = left
return reply
