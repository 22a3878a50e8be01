from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

RUBY = """\
# frozen_string_literal: true

require "json"
require_relative "../money/rate"

# Everything that is for sale.
module Shop
  # What a customer is about to buy.
  class Cart < Base::Basket
    include Enumerable

    Line = Struct.new(:item, :count) do
      def price
        item.price * count
      end
    end

    attr_reader :lines

    # Adds up.
    #
    # @param rate [Rate] on top
    # rubocop:disable Metrics/AbcSize
    def checkout(rate = Rate.standard, *rest,
                 log: nil, &block)
      # Nothing to pay for nothing.
      return Money::ZERO if lines.empty?

      lines.each do |line|
        log&.info "sold #{line}"
        sell!(line, &block)
      end
      rate.of(total)
    rescue Bankrupt => error
      retry_later error
    end

    def total = lines.sum(&:price)

    class << self
      sig { params(items: T::Array[Item]).returns(Cart) }
      def of(*items)
        new(items.map { |item| Line.new(item, 1) })
      end
    end

=begin
Whether nothing is in it.
=end
    private def empty?
      lines.none?
    end
  end
  class Bankrupt < StandardError; end
end

RSpec.describe Shop::Cart do
  describe "#total" do
    let(:cart) { described_class.of }

    it "is zero for #{nothing}" do
      expect(cart.total).to eq(0)
    end
    it { is_expected.to be_empty }
  end
end

class CartTest < Minitest::Test
  def test_total
    assert_equal 0, Shop::Cart.of.total
  end
end
"""


def test_ruby_definitions() -> None:
    chunked = cut({"cart.rb": RUBY})
    assert outline_rows(chunked) == [
        ("type", "Shop", 6, 55, "module Shop"),
        ("type", "Shop::Cart", 8, 53, "class Cart < Base::Basket"),
        ("type", "Shop::Cart::Line", 12, 16, "Line = Struct.new(:item, :count)"),
        ("method", "Shop::Cart::Line::price", 13, 15, "def price"),
        (
            "method",
            "Shop::Cart::checkout",
            20,
            36,
            "def checkout(rate = Rate.standard, *rest, log: nil, &block)",
        ),
        ("method", "Shop::Cart::of", 41, 44, "def of(*items)"),
        ("method", "Shop::Cart::empty?", 47, 52, "private def empty?"),
        (
            "test",
            "Shop::Cart::#total::is zero for #{nothing}",
            61,
            63,
            'it "is zero for #{nothing}"',
        ),
        ("type", "CartTest", 68, 72, "class CartTest < Minitest::Test"),
        ("test", "CartTest::test_total", 69, 71, "def test_total"),
    ]
    assert reasons(chunked) == {"Shop::Cart::total": "trivial", "Shop::Bankrupt": "trivial"}


def test_ruby_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("cart.rb", RUBY)
    checkout = chunks["Shop::Cart::checkout"]
    assert checkout.docstring == "Adds up.\n\n@param rate [Rate] on top"
    assert chunks["Shop"].docstring == "Everything that is for sale."
    assert chunks["Shop::Cart::empty?"].docstring == "Whether nothing is in it."
    assert chunks["Shop::Cart::of"].attributes == (
        "sig { params(items: T::Array[Item]).returns(Cart) }",
    )
    assert checkout.callees == (
        "info",
        "lines.each",
        "lines.empty?",
        "rate.of",
        "retry_later",
        "sell!",
    )
    assert checkout.imports == ("../money/rate", "json")
    assert cut_lines(checkout) == [
        "return Money::ZERO if lines.empty?",
        "lines.each do |line|",
        'log&.info "sold #{line}"',
        "sell!(line, &block)",
        "rate.of(total)",
        "rescue Bankrupt => error",
        "retry_later error",
    ]
