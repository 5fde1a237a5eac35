"""The scripts on what is known of sessions, and on their way from store to store."""

from __future__ import annotations

__all__ = ["ABOUT", "LISTS"]

ABOUT = {
    # fields, each with 1 and a value, or 0
    "update": """
anew()
for place = 3, #ARGV, 3 do
  if ARGV[place + 1] == '1' then
    redis.call('HSET', M, ARGV[place], ARGV[place + 2])
  else
    redis.call('HDEL', M, ARGV[place])
  end
end
if redis.call('LLEN', I) == 0 then
  local known = redis.call('HMGET', M, 'owner', 'tags', 'title', 'metadata', 'parent')
  if not (known[1] or known[2] or known[3] or known[4] or known[5]) then
    local life = meta[1]
    wipe()
    redis.call('HSET', L, 'life', life)
    redis.call('PEXPIRE', L, DAY)
    return 1
  end
end
redis.call('HSETNX', M, 'upd', text(now))
redis.call('ZADD', Z, 'NX', text(now), ID)
keep()
return 1
""",
    # "all", "number" or "id", and which
    "fork_read": """
local length = alive and redis.call('LLEN', I) or 0
if length == 0 then return {} end
local turn, high = turn_at(-1), length
if ARGV[3] ~= 'all' then
  turn = turn_by(ARGV[3] == 'id' and redis.call('HGET', N, ARGV[4]) or tonumber(ARGV[4]))
  if not turn then return {} end
  high = place_of(turn[3] + 1)
end
local members = turn and redis.call('ZRANGEBYSCORE', T, '-inf', turn[1]) or {}
local known = redis.call('HMGET', M, 'owner', 'tags', 'title', 'metadata')
return {rows_at(0, high), members, turn and turn[1] or false, unpack(known)}
""",
    # place, fork?, times made and written and end, owner, tags, title, metadata, usage, parent,
    # its turn, any turn?, how many turns: each with first and last place, size, number, time, id,
    # record; rows
    "insert": """
local length, is_fork = alive and redis.call('LLEN', I) or 0, ARGV[4] == '1'
if is_fork then
  local parent = alive and redis.call('HMGET', M, 'parent', 'parent_turn') or {}
  if parent[1] then
    local is_same = ARGV[15] == '1' or (parent[2] or '') == ARGV[14]
    return is_same and parent[1] == ARGV[13] and 1 or 2
  end
  if length > 0 then return 2 end
elseif length ~= tonumber(ARGV[3]) then
  return 0
end
anew()
local turns = tonumber(ARGV[16])
local begin = 17 + 7 * turns
local written = ARGV[6] ~= '' and ARGV[6] or text(now)
if begin <= #ARGV then append(begin, written) end
for turn = 0, turns - 1 do
  local at = 17 + 7 * turn
  local function row(place)
    return number_of(redis.call('LINDEX', I, length + tonumber(ARGV[place])))
  end
  local head = {ARGV[at + 3], text(row(at)), text(row(at + 1)), ARGV[at + 2], ARGV[at + 4]}
  redis.call('ZADD', T, ARGV[at + 3], '[' .. table.concat(head, ',') .. ',' .. ARGV[at + 6] .. ']')
  if ARGV[at + 5] ~= '' then redis.call('HSET', N, ARGV[at + 5], ARGV[at + 3]) end
end
local fields = {'made', 'upd', 'exp', 'owner', 'tags', 'title', 'metadata', false, 'parent'}
for place, field in ipairs(fields) do
  if field and ARGV[place + 4] ~= '' then redis.call('HSET', M, field, ARGV[place + 4]) end
end
redis.call('HSETNX', M, 'upd', written)
redis.call('ZADD', Z, redis.call('HGET', M, 'upd'), ID)
if ARGV[14] ~= '' then redis.call('HSET', M, 'parent_turn', ARGV[14]) end
local place = 0
for amount in string.gmatch(ARGV[12], '%d+') do
  redis.call('HSET', M, 'u' .. place, amount)
  place = place + 1
end
keep()
return 1
""",
    # after, limit
    "export": """
if not alive then return {{}, {}} end
local low = place_of(tonumber(ARGV[3]) + 1)
local rows = rows_at(low, math.min(low + tonumber(ARGV[4]), redis.call('LLEN', I)))
local turns = {}
if #rows > 0 then
  local rank, last = rank_of(number_of(rows[1])), number_of(rows[#rows])
  while true do
    local turn, member = turn_at(rank)
    if not turn or turn[3] > last then break end
    if place_of(turn[3] + 1) - place_of(turn[2]) == turn[4] then turns[#turns + 1] = member end
    rank = rank + 1
  end
end
return {rows, turns}
""",
    "erase": """
local items, turns = redis.call('LLEN', I), redis.call('ZCARD', T)
wipe()
redis.call('DEL', L)
return {meta[1] and 1 or 0, items, turns}
""",
}
"""The scripts by what they do, without the parts; as those of rows they have arguments."""

_READING = """
local Z = KEYS[1]
local FRONT, TENANT = ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local function key(kind, id) return FRONT .. kind .. ':' .. TENANT .. '|' .. id end
"""

LISTS = {
    # of one session, with its rows and what is known of it as keys: limit
    "get": """
local meta = redis.call('HMGET', KEYS[2], 'ver', 'exp')
if not meta[1] then return {0, {}} end
if meta[2] then
  local clock = redis.call('TIME')
  if tonumber(meta[2]) <= tonumber(clock[1]) * 1000000 + tonumber(clock[2]) then
    return {0, {}}
  end
end
local limit = tonumber(ARGV[1])
return {tonumber(meta[1]), redis.call('LRANGE', KEYS[1], limit and -limit or 0, -1)}
""",
    # limit, greatest time, behind which id of that time, prefix, owner, tag, empty?, expired?, id
    "list": _READING
    + """
local limit, greatest, after = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local out, offset = {}, 0

local function shown(id, time)
  local m = redis.call('HMGET', key('m', id), 'life', 'made', 'upd', 'exp', 'owner', 'tags',
    'title', 'metadata', 'parent', 'parent_turn', 'u0', 'u1', 'u2', 'u3', 'u4')
  if not m[1] then return end
  if m[4] and tonumber(m[4]) <= now and ARGV[10] ~= '1' then return end
  if ARGV[7] ~= '' and m[5] ~= ARGV[7] then return end
  if ARGV[8] ~= '' then
    local has = false
    for _, tag in ipairs(m[6] and cjson.decode(m[6]) or {}) do has = has or tag == ARGV[8] end
    if not has then return end
  end
  local items = redis.call('LLEN', key('i', id))
  local is_known = m[5] or m[6] or m[7] or m[8] or m[9]
  if items == 0 and not (ARGV[9] == '1' and is_known) then return end
  m[1] = id
  m[16], m[17], m[18] = items, redis.call('ZCARD', key('t', id)), time
  out[#out + 1] = m
end

if ARGV[11] ~= '' then
  local time = redis.call('ZSCORE', Z, ARGV[11])
  if time then shown(ARGV[11], time) end
  return out
end
while true do
  local page = redis.call('ZREVRANGEBYSCORE', Z, greatest, '-inf', 'WITHSCORES',
    'LIMIT', offset, 100)
  for place = 1, #page, 2 do
    local id, time = page[place], page[place + 1]
    local is_behind = after == '' or tonumber(time) < tonumber(greatest) or id < after
    if is_behind and string.sub(id, 1, #ARGV[6]) == ARGV[6] then shown(id, time) end
    if #out == limit then return out end
  end
  if #page < 200 then return out end
  offset = offset + 100
end
""",
    # microseconds since the newest write, limit, only count?
    "purge": _READING
    + """
local older, limit, only = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local counted = 0
for _, id in ipairs(redis.call('ZRANGE', Z, 0, -1)) do
  local m = redis.call('HMGET', key('m', id), 'life', 'upd', 'exp')
  local ends = redis.call('HGET', key('l', id), 'until')
  local is_running = ends and tonumber(ends) > now
  local is_over = m[3] and tonumber(m[3]) <= now
    or older and tonumber(m[2] or now) <= now - older
  if not m[1] or is_over and not is_running then
    if m[1] then counted = counted + 1 end
    if not only then
      for _, kind in ipairs({'i', 'm', 't', 'n', 'o', 'l'}) do redis.call('DEL', key(kind, id)) end
      redis.call('ZREM', Z, id)
    end
    if counted == limit and not only then return counted end
  end
end
return counted
""",
}
"""The scripts that have no parts in common with the others, as they work on whole indexes.

The first two arguments are what keys of an index begin with, and the tenant.
"""
