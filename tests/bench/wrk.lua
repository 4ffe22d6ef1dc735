-- As many requests in one write as the first argument says, with so many bytes of a body that repeats the third.
local all

function init(arguments)
    local burst, body, piece = tonumber(arguments[1]), tonumber(arguments[2]), arguments[3]
    if body > 0 then
        wrk.method = "POST"
        wrk.body = piece:rep(body / #piece)
    end
    all = wrk.format():rep(burst)
end

function request()
    return all
end
