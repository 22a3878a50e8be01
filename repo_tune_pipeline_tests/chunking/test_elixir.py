from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    documentation,
    outline_rows,
    reasons,
)

ELIXIR = '''\
defmodule Shop.Cart do
  @moduledoc """
  What a customer is about to buy.

      iex> Shop.Cart.total(%Shop.Cart{})
      0
  """
  use GenServer
  alias Shop.{Item, Money.Rate}
  import Enum, only: [sum: 1]
  require Logger

  defstruct lines: [], log: nil

  @doc ~S"""
  Adds up, `rate` on top.
  """
  @spec checkout(t, Rate.t()) :: integer
  # An empty one is free.
  def checkout(cart, rate \\\\ nil)
  def checkout(%{lines: []}, _rate), do: 0

  def checkout(%__MODULE__{lines: lines} = cart, rate)
      when is_list(lines) and rate > 0 do
    # Each is told.
    Enum.each(lines, fn line ->
      Logger.info("sold")
      sell!(line)
    end)

    case valid?(cart) do
      true ->
        lines |> Enum.map(& &1.price) |> sum()

      false ->
        raise "no"
    end
  rescue
    error -> reraise(error, __STACKTRACE__)
  end

  @impl true
  def handle_call(:lines, _from, cart),
    do: {:reply, cart.lines, cart}

  @doc false
  defp sell!(line) do
    send(line.owner, :sold)
    :ok
  end

  defmacro unless_empty(cart, do: block) do
    quote do
      if unquote(cart).lines != [], do: unquote(block)
    end
  end
end

defimpl String.Chars, for: Shop.Cart do
  def to_string(cart) do
    "#{length(cart.lines)} items"
  end
end

defmodule Shop.CartTest do
  use ExUnit.Case

  describe "checkout/2" do
    setup :cart

    @tag :slow
    test "is free when empty", %{cart: cart} do
      assert Shop.Cart.checkout(cart) == 0
    end
  end
end
'''


def test_elixir_definitions() -> None:
    chunked = cut({"cart.ex": ELIXIR})
    assert outline_rows(chunked) == [
        ("type", "Shop.Cart", 1, 57, "defmodule Shop.Cart"),
        ("function", "Shop.Cart.checkout", 15, 40, "def checkout(cart, rate \\\\ nil)"),
        ("function", "Shop.Cart.handle_call", 42, 44, "def handle_call(:lines, _from, cart)"),
        ("function", "Shop.Cart.sell!", 46, 50, "defp sell!(line)"),
        ("function", "Shop.Cart.unless_empty", 52, 56, "defmacro unless_empty(cart, do: block)"),
        ("type", "String.Chars.Shop.Cart", 59, 63, "defimpl String.Chars, for: Shop.Cart"),
        ("function", "String.Chars.Shop.Cart.to_string", 60, 62, "def to_string(cart)"),
        ("type", "Shop.CartTest", 65, 76, "defmodule Shop.CartTest"),
        (
            "test",
            "Shop.CartTest.checkout/2.is free when empty",
            71,
            74,
            'test "is free when empty", %{cart: cart}',
        ),
    ]
    assert reasons(chunked) == {}


def test_elixir_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("cart.ex", ELIXIR)
    cart, checkout = chunks["Shop.Cart"], chunks["Shop.Cart.checkout"]
    assert cart.docstring.startswith("What a customer is about to buy.\n\n    iex>")
    assert documentation(cart).lstrip().startswith("@moduledoc")
    assert chunks["Shop.CartTest.checkout/2.is free when empty"].attributes == ("@tag :slow",)
    assert checkout.docstring == "Adds up, `rate` on top."
    assert checkout.attributes == ("@spec checkout(t, Rate.t()) :: integer",)
    assert checkout.callees == (
        "Enum.each",
        "Enum.map",
        "Logger.info",
        "is_list",
        "raise",
        "reraise",
        "sell!",
        "sum",
        "valid?",
    )
    assert checkout.imports == (
        "Enum",
        "ExUnit.Case",
        "GenServer",
        "Logger",
        "Shop.Item",
        "Shop.Money.Rate",
    )
    assert cut_lines(checkout) == [
        "def checkout(%{lines: []}, _rate), do: 0",
        "def checkout(%__MODULE__{lines: lines} = cart, rate)",
        "Enum.each(lines, fn line ->",
        'Logger.info("sold")',
        "sell!(line)",
        "case valid?(cart) do",
        "true ->",
        "lines |> Enum.map(& &1.price) |> sum()",
        "false ->",
        'raise "no"',
        "rescue",
        "error -> reraise(error, __STACKTRACE__)",
    ]


def test_clauses_are_one_function_until_documentation_or_an_attribute_begins_another() -> None:
    text = """\
defmodule Shop do
  @doc "One."
  def get(a), do: get(a, [])

  @doc "Two."
  def get(a, b \\\\ 1)
  # nothing is free
  def get(nil, _), do: nil

  def get(a, b) do
    a + get(b)
  end

  @impl true
  def get(:x, y), do: y
end
"""
    chunked = cut({"shop.ex": text})
    assert outline_rows(chunked)[1:] == [("function", "Shop.get", 5, 12, "def get(a, b \\\\ 1)")]
    assert [(each.start_line, each.end_line, each.reason) for each in chunked.rejections] == [
        (2, 3, "trivial"),
        (14, 15, "trivial"),
    ]
