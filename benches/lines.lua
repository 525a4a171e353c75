-- Asks once for what each line of a file says: `wrk -s lines.lua URL -- FILE THREADS keys|posts`. With `keys`, the link of a
-- key is opened; with `posts`, the line is posted. Counts how often it began again because there were too few, and answers
-- other than 200.
local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(args)
    lines, place, wrapped, bad = {}, 0, 0, 0
    local line_number, count = 0, tonumber(args[2])
    is_post = args[3] == "posts"
    for line in io.lines(args[1]) do
        if line_number % count == number then
            lines[#lines + 1] = line
        end
        line_number = line_number + 1
    end
end

function request()
    place = place + 1
    if place > #lines then
        place, wrapped = 1, wrapped + 1
    end
    if is_post then
        return wrk.format("POST", nil, { ["Content-Type"] = "text/plain; charset=UTF-8" }, lines[place])
    end
    return wrk.format("GET", "/verify/?key=" .. lines[place])
end

function response(status)
    if status ~= 200 then
        bad = bad + 1
    end
end

function done(summary, latency, requests)
    local wrapped, bad = 0, 0
    for _, thread in ipairs(threads) do
        wrapped = wrapped + thread:get("wrapped")
        bad = bad + thread:get("bad")
    end
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %.3f, "p50": %.2f, "p99": %.2f, "wrapped": %d, "bad": %d, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        wrapped, bad, errors.connect + errors.read + errors.write + errors.timeout))
end
