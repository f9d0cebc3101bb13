-- Counts one more request in the log KEYS[1], the newest first, if there is room: {granted, left, microseconds until
-- there is one more}. ARGV[1]: requests, ARGV[2]: microseconds that the log looks back.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local count, per = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = tonumber(redis.call('LINDEX', KEYS[1], -1) or now)
while oldest + per <= now do
    redis.call('RPOP', KEYS[1])
    oldest = tonumber(redis.call('LINDEX', KEYS[1], -1) or now)
end
local used, granted = redis.call('LLEN', KEYS[1]), 0
if used < count then
    redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
    redis.call('PEXPIRE', KEYS[1], math.ceil(per / 1000))
    used, granted = used + 1, 1
end
return {granted, math.max(0, count - used), math.max(1, oldest + per - now)}
