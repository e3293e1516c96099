--[[
One call: everything that one engine has waiting, in its order, each operation whole or not at all.

What can go wrong, and what is done about it:
- Lua does not roll back. Of each commit everything is looked at before the first write of it.
- The connection broke after the call was sent. The caller sends it again under the same number, and is told what
  it was told the first time; a number below the last one comes from a dead connection and does nothing.
- The data are not those that the caller knows (FLUSHALL, a fail-over that lost commits): nothing is done at all,
  and `lost` stays set until an operator decides.
- The data grow. No command here costs more the more entries, messages or buyers there are: single fields, ends of
  streams, and at most 128 expired entries a call.

KEYS[1]  <prefix>meta. Every other key begins with the same prefix, whose {hash tag} keeps them on one node.
ARGV[1]  MessagePack array:
           1 client       id of the calling engine
           2 number       of this call, growing by one
           3 incarnation  that the caller knows
           4 seen         one past the highest sequence that the caller knows
           5 fork         number of the last fork that the caller knows
           6 clockMs      the time, for tests; false: Redis's own
           7 operations   arrays, see `handlers`
           8 places       { topic, partition, ring } that the operations speak of by number; ring 0: none
           9 namespaces   of the state that the operations speak of by number
ARGV[2]  "verify": look whether this is still the same server; or ""
ARGV[3]  Only when an engine opens, which then may know no incarnation and no fork yet (false): the incarnation of
         a new cell, or "" where there has to be one already.
Returns  { "done", timeMs, clockUs, fork, firstSequence, nextSequence, entries, ends, results, incarnation }
           ends: of each place before this call; results: of each operation, or 0 where all of them gave 0;
           incarnation: only when an engine opens
         { "lost", incarnation or "", nextSequence, why }
         { "stale" }, { "format", the one found }

Keys     meta        hash: format incarnation sequence timeMs entries server fork lost keeper keptUntilMs roundTrips
         forks       list: the next sequence at each fork
         topics      hash: topic -> partitions and ring;  topic-order: list of names
         ranges      hash: "end <partition> <topic>" -> one past the newest offset, "start …" -> the oldest one
         t:<topic>:<partition>   stream, id = offset + 1
         o:<topic> <group>       hash: partition -> committed offset;  groups:<topic>: set of those known
         s:<namespace>           hash: key -> entry;  k:<namespace>: the keys in order
         x                       sorted set of the seconds in which something expires;  x:<second>: what
         l:<topic> <group>       hash: partition -> "<epoch> <expiresAtMs> =<member>", or "- " where released
         m:<group>               sorted set: member -> until when it lives
         c:<client>              the last call of that engine, and what it was told
         bell                    stream, id = next sequence: who called, first sequence, forks, and which places and namespaces it touched
--]]

local call = redis.call
local meta = KEYS[1]
local prefix = string.sub(meta, 1, -5)
local request = cmsgpack.unpack(ARGV[1])
local client, number, incarnation, seen = request[1], request[2], request[3], request[4]
local operations, places, namespaces = request[7], request[8], request[9]

local expiredPerCall = 128
local callRecordMs = 600000
local bellLength = 4096
local format = '1'

local known = call('HMGET', meta, 'incarnation', 'sequence', 'timeMs', 'entries', 'server', 'fork', 'lost', 'format')
local sequence, lastMs = tonumber(known[2]) or 0, tonumber(known[3]) or 0
local entries, fork = tonumber(known[4]) or 0, tonumber(known[6]) or 0

local function whole(value) return string.format('%.0f', value) end

-- The data that the caller knows ----------------------------------------------------------------------------------

local function lost(why)
  if not known[7] and (known[1] == incarnation or not known[1]) then call('HSET', meta, 'lost', why) end
  return { 'lost', known[1] or '', sequence, known[7] or why }
end

-- A server that was not this one when it was last looked at was restarted, or was a replica: the sequence at which
-- it goes on is noted before anybody commits to it.
local function noteServer()
  local server = string.match(call('INFO', 'replication'), 'master_replid:(%x+)') or 'unknown'
  if server == known[5] then return end
  if known[5] then
    fork = fork + 1
    call('RPUSH', prefix .. 'forks', whole(sequence))
    call('HSET', meta, 'fork', whole(fork))
  end
  call('HSET', meta, 'server', server)
end

local function begin()
  if known[7] or known[1] or ARGV[3] == '' then return end
  known[1], known[8] = ARGV[3], format
  call('HSET', meta, 'format', format, 'incarnation', known[1])
end

local function whatIsLost()
  if known[7] then return known[7] end
  if not known[1] then return 'there are no data of this cell any more' end
  if incarnation and known[1] ~= incarnation then return 'these are other data: incarnation ' .. known[1] end
  if ARGV[2] == 'verify' then noteServer() end
  if request[5] and fork ~= request[5] then
    for _, wentOnAt in ipairs(call('LRANGE', prefix .. 'forks', request[5], -1)) do
      if tonumber(wentOnAt) < seen then
        return 'a server took over at commit ' .. wentOnAt .. ', and commits up to ' .. whole(seen) .. ' had been seen'
      end
    end
  end
  if sequence < seen then
    return 'the data end at commit ' .. whole(sequence) .. ', and commits up to ' .. whole(seen) .. ' had been seen'
  end
end

if ARGV[3] then begin() end
if known[1] and known[8] ~= format then return { 'format', known[8] or '' } end
local why = whatIsLost()
if why then return lost(why) end

local recordKey = prefix .. 'c:' .. client
local record = call('GET', recordKey)
if record then
  record = cmsgpack.unpack(record)
  if record[1] == number then return record[2] end
  if record[1] > number then return { 'stale' } end
end

-- Time, places, entries, leases -----------------------------------------------------------------------------------

local clock = call('TIME')
local clockUs = clock[1] * 1000000 + clock[2]
local nowMs = math.max(lastMs, request[6] or math.floor(clockUs / 1000))

local ends, endsBefore, streams, isAppended = {}, {}, {}, {}
for index, place in ipairs(places) do
  ends[index] = tonumber(call('HGET', prefix .. 'ranges', 'end ' .. place[2] .. ' ' .. place[1])) or 0
  endsBefore[index] = ends[index]
  streams[index] = prefix .. 't:' .. place[1] .. ':' .. place[2]
end

local states, orders, isWritten = {}, {}, {}
for index, namespace in ipairs(namespaces) do
  states[index] = prefix .. 's:' .. namespace
  orders[index] = prefix .. 'k:' .. namespace
end

-- An entry begins with 0, or with 1 and the time from which on it reads as absent.
local function isLive(entry) return entry and (string.byte(entry) == 0 or struct.unpack('>d', entry, 2) > nowMs) end

local function forget(state, order, key)
  if call('HDEL', state, key) == 0 then return end
  call('ZREM', order, key)
  entries = entries - 1
end

local function expireLater(namespace, key, expiresAtMs)
  local dueMs = whole((math.floor(expiresAtMs / 1000) + 1) * 1000)
  local due = prefix .. 'x:' .. dueMs
  if call('RPUSH', due, #namespace .. ':' .. namespace .. key) == 1 then call('ZADD', prefix .. 'x', dueMs, dueMs) end
end

local function removeExpired()
  local left = expiredPerCall
  for _, dueMs in ipairs(call('ZRANGEBYSCORE', prefix .. 'x', '-inf', nowMs, 'LIMIT', 0, 4)) do
    local due = prefix .. 'x:' .. dueMs
    local found = call('LPOP', due, left) or {}
    for _, item in ipairs(found) do
      local colon = string.find(item, ':', 1, true)
      local length = tonumber(string.sub(item, 1, colon - 1))
      local namespace, key = string.sub(item, colon + 1, colon + length), string.sub(item, colon + length + 1)
      local entry = call('HGET', prefix .. 's:' .. namespace, key)
      if entry and not isLive(entry) then forget(prefix .. 's:' .. namespace, prefix .. 'k:' .. namespace, key) end
    end
    left = left - #found
    if left == 0 then return end
    call('ZREM', prefix .. 'x', dueMs)
  end
end

local function holderOf(key, field)
  local holder = call('HGET', key, field)
  if not holder then return 0, 0, '-' end
  local epoch, expiresAtMs, member = string.match(holder, '^(%d+) (%d+) (.*)$')
  return tonumber(epoch), tonumber(expiresAtMs), member
end

local function hold(key, field, epoch, expiresAtMs, member)
  call('HSET', key, field, whole(epoch) .. ' ' .. whole(math.ceil(expiresAtMs)) .. ' ' .. member)
end

local function holds(key, field, epoch, member)
  local heldEpoch, _, holder = holderOf(key, field)
  return heldEpoch == epoch and holder == '=' .. member
end

-- Operations ------------------------------------------------------------------------------------------------------

local handlers = {}

-- { 1, fence, advance, retire, expect, put, append }, each false where there is none
--   fence { lease key, partition, epoch, member }   advance { offsets key, groups key, group, partition, place, to }
--   retire { offsets key, groups key, group }       expect { namespace, key, is present, ... }
--   put { namespace, key, entry or false, expiresAtMs or false, ... }   append { place, record, ... }
-- Gives 0; or { 1 } FENCED, { 2, index } CONFLICT, { 3, end } the offset lies beyond the end.
local function refusalOf(operation)
  local fence, advance, expect = operation[2], operation[3], operation[5]
  if advance and advance[6] > ends[advance[5]] then return { 3, ends[advance[5]] } end
  if fence and not holds(prefix .. fence[1], fence[2], fence[3], fence[4]) then return { 1 } end
  if not expect then return end
  for index = 1, #expect, 3 do
    local isPresent = isLive(call('HGET', states[expect[index]], expect[index + 1])) or false
    if isPresent ~= expect[index + 2] then return { 2, (index - 1) / 3 } end
  end
end

local function write(put)
  for index = 1, #put, 4 do
    local namespace, key, entry, expiresAtMs = put[index], put[index + 1], put[index + 2], put[index + 3]
    isWritten[namespace] = true
    if entry then
      if call('HSET', states[namespace], key, entry) == 1 then
        call('ZADD', orders[namespace], 0, key)
        entries = entries + 1
      end
      if expiresAtMs then expireLater(namespaces[namespace], key, expiresAtMs) end
    else
      forget(states[namespace], orders[namespace], key)
    end
  end
end

local function append(messages)
  local time = whole(nowMs)
  for index = 1, #messages, 2 do
    local place = messages[index]
    local offset = ends[place]
    call('XADD', streams[place], whole(offset + 1) .. '-0', 't', time, 'm', messages[index + 1])
    ends[place] = offset + 1
    isAppended[place] = true
  end
end

handlers[1] = function(operation)
  local refusal = refusalOf(operation)
  if refusal then return refusal end
  local advance, retire = operation[3], operation[4]
  sequence = sequence + 1
  if retire then
    call('UNLINK', prefix .. retire[1])
    call('SREM', prefix .. retire[2], retire[3])
  end
  if advance and call('HSET', prefix .. advance[1], advance[4], whole(advance[6])) == 1 then
    call('SADD', prefix .. advance[2], advance[3])
  end
  if operation[6] then write(operation[6]) end
  if operation[7] then append(operation[7]) end
  return 0
end

-- { 2, lease key, partition, member, ttlMs } acquires. Gives the epoch; 0 where somebody else has it.
handlers[2] = function(operation)
  local key, field, member = prefix .. operation[2], operation[3], '=' .. operation[4]
  local epoch, expiresAtMs, holder = holderOf(key, field)
  if holder == '-' or expiresAtMs <= nowMs then
    epoch = epoch + 1
  elseif holder ~= member then
    return 0
  end
  hold(key, field, epoch, nowMs + operation[5], member)
  return epoch
end

-- { 3, lease key, partition, epoch, member, ttlMs } renews. Gives 1; 0 where the lease was lost.
handlers[3] = function(operation)
  local key, field, epoch, member = prefix .. operation[2], operation[3], operation[4], operation[5]
  if not holds(key, field, epoch, member) then return 0 end
  hold(key, field, epoch, nowMs + operation[6], '=' .. member)
  return 1
end

-- { 4, lease key, partition, epoch, member } releases. Gives 0.
handlers[4] = function(operation)
  local key, field, epoch, member = prefix .. operation[2], operation[3], operation[4], operation[5]
  if holds(key, field, epoch, member) then hold(key, field, epoch, 0, '-') end
  return 0
end

-- { 5, members key, member, ttlMs } tells that the member lives, or with 0 that it leaves. Gives 0.
handlers[5] = function(operation)
  local key, member, ttlMs = prefix .. operation[2], operation[3], operation[4]
  call('ZREMRANGEBYSCORE', key, '-inf', nowMs)
  if ttlMs > 0 then call('ZADD', key, nowMs + ttlMs, member) else call('ZREM', key, member) end
  return 0
end

-- { 6, members key } gives the live members.
handlers[6] = function(operation)
  return call('ZRANGEBYSCORE', prefix .. operation[2], '(' .. whole(nowMs), '+inf')
end

-- { 7, { topic, partitions, ring }, ... } declares. Gives { ring, ... } as they are in force, or the number of the
-- first that has another count of partitions already, and that count, with a -1 before them.
local isDeclared = false
handlers[7] = function(operation)
  local rings, fresh = {}, {}
  for index = 2, #operation do
    local topic = operation[index]
    local declared = fresh[topic[1]] or call('HGET', prefix .. 'topics', topic[1])
    if not declared then
      declared = topic[2] .. ' ' .. whole(topic[3])
      fresh[topic[1]] = declared
      fresh[#fresh + 1] = topic[1]
    end
    local partitions, ring = string.match(declared, '^(%d+) (%d+)$')
    if tonumber(partitions) ~= topic[2] then return { -1, index - 2, tonumber(partitions) } end
    rings[index - 1] = tonumber(ring)
  end
  for _, name in ipairs(fresh) do
    call('HSET', prefix .. 'topics', name, fresh[name])
    call('RPUSH', prefix .. 'topic-order', name)
    isDeclared = true
  end
  return rings
end

-- { 8, place, groups key, offsets key less the group, ageMs, messages } drops the oldest that every known group has
-- consumed: those older than ageMs, and those beyond that many of the partition. Gives how many went, at most 1,000.
local droppedAtOnce = 1000
handlers[8] = function(operation)
  local place, ageMs, messages = operation[2], operation[5], operation[6]
  local at = places[place][2] .. ' ' .. places[place][1]
  local start = tonumber(call('HGET', prefix .. 'ranges', 'start ' .. at)) or 0
  if places[place][3] > 0 then start = math.max(start, ends[place] - places[place][3]) end
  local needed = ends[place]
  for _, group in ipairs(call('SMEMBERS', prefix .. operation[3])) do
    needed = math.min(needed, tonumber(call('HGET', prefix .. operation[4] .. group, places[place][2])) or 0)
  end
  local from = math.min(needed, start + droppedAtOnce)
  while from > start and from > ends[place] - messages do
    local last = call('XRANGE', streams[place], whole(from), whole(from), 'COUNT', 1)[1]
    if not last or tonumber(last[2][2]) <= nowMs - ageMs then break end
    from = start + math.floor((from - start) / 2)
  end
  if from <= start then return 0 end
  call('XTRIM', streams[place], 'MINID', '=', whole(from + 1))
  call('HSET', prefix .. 'ranges', 'start ' .. at, whole(from))
  return from - start
end

-- { 9, keeperMs, roundTrips since the last one } gives { bytes used, bytes that Redis may use (0: as many as there are),
-- 1 where the caller is the keeper (who asks once the last one has not for keeperMs) or else 0, round trips of all }.
handlers[9] = function(operation)
  local memory, keeper = call('INFO', 'memory'), call('HMGET', meta, 'keeper', 'keptUntilMs')
  local isKeeper = keeper[1] == client or (tonumber(keeper[2]) or 0) <= nowMs
  if isKeeper then call('HSET', meta, 'keeper', client, 'keptUntilMs', whole(nowMs + operation[2])) end
  local used, max = string.match(memory, 'used_memory:(%d+)'), string.match(memory, 'maxmemory:(%d+)')
  local trips = call('HINCRBY', meta, 'roundTrips', whole(operation[3]))
  return { tonumber(used), tonumber(max), isKeeper and 1 or 0, trips }
end

-- The call --------------------------------------------------------------------------------------------------------

local firstSequence, results, hasNews = sequence, {}, false
for index, operation in ipairs(operations) do
  local result = handlers[operation[1]](operation)
  results[index] = result
  if result ~= 0 then hasNews = true end
end
removeExpired()

for index, place in ipairs(places) do
  if isAppended[index] then
    call('HSET', prefix .. 'ranges', 'end ' .. place[2] .. ' ' .. place[1], whole(ends[index]))
    if place[3] > 0 then call('XTRIM', streams[index], 'MAXLEN', '=', whole(place[3])) end
  end
end

local function ring()
  local touched = { 'o', client, 'f', whole(firstSequence), 'k', whole(fork) }
  for index, place in ipairs(places) do
    if isAppended[index] then
      touched[#touched + 1] = 'p'
      touched[#touched + 1] = place[2] .. ' ' .. place[1]
    end
  end
  for index, namespace in ipairs(namespaces) do
    if isWritten[index] then
      touched[#touched + 1] = 'n'
      touched[#touched + 1] = namespace
    end
  end
  if isDeclared then
    touched[#touched + 1] = 't'
    touched[#touched + 1] = ''
  end
  if #touched > 4000 then touched = { 'o', client, 'f', whole(firstSequence), 'k', whole(fork), 'a', '' } end
  call('XADD', prefix .. 'bell', 'MAXLEN', '~', bellLength, whole(sequence) .. '-0', unpack(touched))
end

if isDeclared then sequence = sequence + 1 end
if sequence > firstSequence then ring() end
call('HSET', meta, 'sequence', whole(sequence), 'timeMs', whole(nowMs), 'entries', whole(entries))
local reply =
  { 'done', nowMs, clockUs, fork, firstSequence, sequence, entries, endsBefore, hasNews and results or 0 }
if ARGV[3] then reply[10] = known[1] end
call('SET', recordKey, cmsgpack.pack({ number, reply }), 'PX', callRecordMs)
return reply
