"""The scripts that read and change the rows and the turns of one session."""

from __future__ import annotations

from memwrap.sessions.turns import STOPPED

__all__ = ["ROWS"]

ROWS = {
    # token, again, rows
    "add": """
if ARGV[4] == '1' and redis.call('LPOS', O, ARGV[3]) then return 1 end
anew()
append(5, text(now))
if ARGV[3] ~= '' then
  if redis.call('LPUSH', O, ARGV[3]) > 64 then redis.call('LTRIM', O, 0, 31) end
  redis.call('PEXPIRE', O, 60000)
end
keep()
return 1
""",
    # limit, before
    "page": """
if not alive then return {0, {}} end
local limit, high = tonumber(ARGV[3]), place_of(tonumber(ARGV[4]))
return {version(), rows_at(limit and math.max(high - limit, 0) or 0, high)}
""",
    # the number of the row, if it is known to be readable
    "pop": """
local row = alive and redis.call('LINDEX', I, -1)
if not row then return {} end
local number, body = number_of(row), body_of(row)
local rest = body
if string.find(body, '[\\128-\\255]') then
  for _, letter in ipairs({
    '[\\194-\\223][\\128-\\191]', '\\224[\\160-\\191][\\128-\\191]',
    '[\\225-\\236\\238\\239][\\128-\\191][\\128-\\191]', '\\237[\\128-\\159][\\128-\\191]',
    '\\240[\\144-\\191][\\128-\\191][\\128-\\191]',
    '[\\241-\\243][\\128-\\191][\\128-\\191][\\128-\\191]',
    '\\244[\\128-\\143][\\128-\\191][\\128-\\191]'
  }) do
    rest = string.gsub(rest, letter, 'x')
  end
end
-- What is left to the client to judge: other bytes than UTF-8, control characters, no object.
local is_plain = not string.find(rest, '[%z\\1-\\31\\127-\\255]')
  and string.sub(body, 1, 1) == '{' and pcall(cjson.decode, body)
if ARGV[3] ~= '' and tonumber(ARGV[3]) ~= number or ARGV[3] == '' and not is_plain then
  return {number, body, 0}
end
redis.call('RPOP', I)
local turn, member = turn_at(-1)
if turn and turn[3] == number then forget(turn, member) end
changed()
keep()
return {number, body, 1, meta[3]}
""",
    # whether turns of their own clear, their leases
    "clear": """
local held = redis.call('HMGET', L, 'token', 'until', 'life')
local old = alive and meta[1] or held[3]
local owner = alive and redis.call('HGET', M, 'owner')
wipe()
redis.call('DEL', L)
alive, meta = false, {}
if owner then
  anew()
  redis.call('HSET', M, 'owner', owner, 'upd', text(now))
  redis.call('ZADD', Z, text(now), ID)
  keep()
elseif ARGV[3] == '1' then
  redis.call('HSET', L, 'life', text(now))
  redis.call('PEXPIRE', L, DAY)
end
for place = 4, #ARGV do
  if ARGV[place] == held[1] then
    redis.call('HSET', L, 'token', held[1], 'until', held[2])
    redis.call('PEXPIREAT', L, text(math.floor(tonumber(held[2]) / 1000) + DAY))
  end
end
return {old or false, text(now)}
""",
    # token, lease, limit, dead holder, most, names of marks
    "begin": """
local held = redis.call('HMGET', L, 'token', 'until', 'life')
local lease, ends = tonumber(ARGV[4]), now
if lease then
  local is_free = not held[1] or held[1] == ARGV[3] or held[1] == ARGV[6]
  if not is_free and tonumber(held[2]) > now then return {1, held[1]} end
  ends = now + lease
  redis.call('HSET', L, 'token', ARGV[3], 'until', text(ends))
end
local life = alive and meta[1] or held[3]
if not life then
  life = text(now)
  redis.call('HSET', L, 'life', life)
end
if lease or not alive then
  redis.call('PEXPIREAT', L, text(math.floor(ends / 1000) + DAY))
end
if not alive then return {0, life, 0, false, {}} end
local marks, limit = false, tonumber(ARGV[5])
if #ARGV >= 8 and redis.call('HGET', M, 'marked') then
  local rank = redis.call('ZCARD', T) - 1
  while rank >= 0 and not marks do
    local found = turn_at(rank)[12]
    marks, rank = found ~= '' and found, rank - 1
  end
end
local is_read, asked = pcall(cjson.decode, marks or '{}')
if not is_read or type(asked) ~= 'table' then asked = {} end
local first, kept = nil, {}
for place = 8, #ARGV do
  local mark = asked[ARGV[place]]
  if type(mark) ~= 'table' or type(mark.first) ~= 'number' then
    first = nil
    break
  end
  first = math.min(first or mark.first, mark.first)
  for _, number in ipairs(type(mark.kept) == 'table' and mark.kept or {}) do
    kept[#kept + 1] = number
  end
end
if not first then
  local rows = limit == 0 and {} or redis.call('LRANGE', I, limit and -limit or 0, -1)
  return {0, life, version(), marks, rows}
end
local length = redis.call('LLEN', I)
local shown = ARGV[7] ~= '' and math.max(length - tonumber(ARGV[7]), 0) or 0
local low, rows, seen = math.max(place_of(first), shown), {}, {}
table.sort(kept)
for _, number in ipairs(kept) do
  local place = place_of(number)
  if place >= shown and place < low and not seen[place] then
    local row = redis.call('LINDEX', I, place)
    if number_of(row) == number then rows[#rows + 1] = row end
    seen[place] = true
  end
end
for _, row in ipairs(rows_at(low, length)) do rows[#rows + 1] = row end
return {0, life, version(), marks, rows}
""",
    # token, lease
    "renew": """
if redis.call('HGET', L, 'token') ~= ARGV[3] then return 0 end
local ends = now + tonumber(ARGV[4])
redis.call('HSET', L, 'until', text(ends))
redis.call('PEXPIREAT', L, text(math.floor(ends / 1000) + DAY))
return 1
""",
    # token
    "release": """
if redis.call('HGET', L, 'token') ~= ARGV[3] then return 0 end
return redis.call('HDEL', L, 'token', 'until')
""",
    # token, lease, head, again, life, version, turn id, answers, record, marks?, usage, rows
    "commit": f"""
local token, lease, life, turn_id = ARGV[3], ARGV[4], ARGV[7], ARGV[9]
if ARGV[6] == '1' and is_stored(token) then return 1 end
local held = redis.call('HMGET', L, 'token', 'until', 'life')
if lease ~= '' and held[1] ~= lease then
  -- A lease that nobody has was lost: the turn is stored if nobody has written since it began.
  if held[1] or life == '' or version() ~= tonumber(ARGV[8]) then return 0 end
end
if life ~= '' and meta[1] ~= life and (alive or held[3] ~= life) then return 0 end
if ARGV[5] ~= '' and version() ~= tonumber(ARGV[5]) then return 0 end
anew()
if turn_id ~= '' then
  local half = turn_by(redis.call('HGET', N, turn_id))
  if half and half[10] == '{STOPPED}' then
    local low, high = place_of(half[2]), place_of(half[3] + 1)
    if high > low then cut(low, high) end
  end
end
local answers, first = tonumber(ARGV[10]), nil
local newest, member = turn_at(-1)
if answers > 0 then
  local row = redis.call('LINDEX', I, -1)
  if newest and row and newest[4] == answers and newest[3] == number_of(row) then
    forget(newest, member)
    first = newest[2]
    newest = turn_at(-1)
  else
    answers = 0
  end
end
local count = #ARGV - 13
local last = append(14, text(now))
local number = newest and newest[1] + 1 or 1
first = first or last - count + 1
local head = {{number, first, last, count + answers, now, answers}}
for place, value in ipairs(head) do head[place] = text(value) end
redis.call('ZADD', T, number, '[' .. table.concat(head, ',') .. ',' .. ARGV[11] .. ']')
if turn_id ~= '' then redis.call('HSET', N, turn_id, number) end
if ARGV[12] == '1' then redis.call('HSET', M, 'marked', 1) end
spend(ARGV[13])
if held[1] == token then redis.call('HDEL', L, 'token', 'until') end
keep()
return 1
""",
    # turn id
    "find": """
local turn, member = turn_by(alive and redis.call('HGET', N, ARGV[3]))
if not turn then return {} end
return {member, rows_at(place_of(turn[2]), place_of(turn[3] + 1))}
""",
    "newest": """
local row = alive and redis.call('LINDEX', I, -1)
if not row then return {} end
local turn, member = turn_at(-1)
if not turn or turn[3] ~= number_of(row) then return {} end
return {member, rows_at(place_of(turn[2]), place_of(turn[3] + 1))}
""",
    # first row
    "ranges": """
if not alive then return {} end
return redis.call('ZRANGE', T, rank_of(tonumber(ARGV[3])), -1)
""",
    # limit, before
    "turns": """
if not alive then return {} end
local before = ARGV[4] == '' and '+inf' or '(' .. ARGV[4]
return redis.call('ZREVRANGEBYSCORE', T, before, '-inf', 'LIMIT', 0, ARGV[3])
""",
    # first, last, count
    "cut": """
if not alive then return ARGV[5] == '0' and 1 or 0 end
local low, high = place_of(tonumber(ARGV[3])), place_of(tonumber(ARGV[4]) + 1)
if ARGV[5] ~= '' and high - low ~= tonumber(ARGV[5]) then return 0 end
if high > low then cut(low, high) end
keep()
return 1
""",
}
"""The scripts by what they do, without the parts; each says which arguments it has from the third.

The first two are the session's id and the microseconds that it lives after a write.
"""
