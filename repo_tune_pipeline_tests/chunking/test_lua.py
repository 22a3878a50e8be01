from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

LUA = """\
#!/usr/bin/env lua
--[[
What a customer is about to buy.
]]
local json = require("json")
local rate = require "money.rate"

local Cart = {
  limit = 3,
  -- Reads one back.
  decode = function(text)
    return json.decode(text)
  end,
}
Cart.__index = Cart

---------------------------------
--- Adds up.
-- @param rate on top
-- @return money
function Cart:checkout(rate, ...)
  -- Nothing to pay for nothing.
  if #self.lines == 0 then
    return 0
  elseif self.closed then
    error("closed")
  end
  for _, line in ipairs(self.lines) do
    line.item:sell(line.count)
  end
  local add = function(a, b)
    return a + b
  end
  return rate.of(self:total(add))
end

function Cart.shop.new(lines) return setmetatable({ lines = lines }, Cart) end

--[==[ Whether nothing
  is in it. ]==]
Cart.is_empty = function(self)
  return #self.lines == 0
end

local function helper(text)
  print(text, [[function no() end]])
end

local later = function()
  helper "later"
end

function nothing()
end

describe("a cart", function()
  before_each(function() helper("x") end)

  it("costs nothing when empty", function()
    assert.are.equal(0, Cart.shop.new({}):checkout(rate))
  end)
end)

return Cart
"""


def test_lua_definitions() -> None:
    chunked = cut({"cart.lua": LUA})
    assert outline_rows(chunked) == [
        ("function", "Cart.decode", 10, 13, "decode = function(text)"),
        ("method", "Cart.checkout", 17, 35, "function Cart:checkout(rate, ...)"),
        ("function", "Cart.is_empty", 39, 43, "Cart.is_empty = function(self)"),
        ("function", "helper", 45, 47, "local function helper(text)"),
        ("function", "later", 49, 51, "local later = function()"),
        (
            "test",
            "a cart.costs nothing when empty",
            59,
            61,
            'it("costs nothing when empty", function()',
        ),
    ]
    assert reasons(chunked) == {"Cart.shop.new": "trivial", "nothing": "trivial"}


def test_lua_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("cart.lua", LUA)
    checkout = chunks["Cart.checkout"]
    assert checkout.docstring == "Adds up.\n@param rate on top\n@return money"
    assert chunks["Cart.is_empty"].docstring == "Whether nothing\nis in it."
    assert chunks["Cart.decode"].docstring == "Reads one back."
    assert checkout.callees == ("error", "ipairs", "rate.of", "sell", "total")
    assert checkout.imports == ("json", "money.rate")
    assert cut_lines(checkout) == [
        "if #self.lines == 0 then",
        "return 0",
        'error("closed")',
        "for _, line in ipairs(self.lines) do",
        "line.item:sell(line.count)",
        "local add = function(a, b)",
        "return a + b",
        "return rate.of(self:total(add))",
    ]
