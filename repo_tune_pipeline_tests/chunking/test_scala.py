from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

SCALA = """\
package com.acme.shop

import scala.collection.mutable
import java.util.{List => JList, Map}
import com.acme.money._

/** What a customer is about to buy.
  *
  * @param items kept in order
  */
@deprecated("use Basket", "2")
abstract class Cart[T <: Item](val items: Seq[T])(implicit log: Log) extends Priced {
  def this() = {
    this(Nil)
  }

  // Adds up.
  override def checkout(rate: Rate): Money = {
    items.foreach { item =>
      log.info(item.name)
      sell[T](item)
    }
    rate match {
      case Rate.Zero => total
      case _ =>
        total + new Tax(rate).of(total)
    }
  }

  def close(): Unit

  def +(item: T): Cart[T] =
    copy(items :+ item)

  @tailrec final def last(at: Int): T = {
    last(at - 1)
  }
}

case class Receipt(
  lines: Seq[String],
  total: Money
) extends Printable

class CartSpec extends AnyFunSuite {
  test("an empty cart costs nothing") {
    assert(Cart().total == Money.Zero)
  }
  describe("a cart") {
    it("adds up") {
      check(2)
    }
  }
  "A cart" should "be closed" in {
    cart.close()
  }
}
"""

SCALA_3 = """\
enum Discount(val rate: Int):
  case None extends Discount(0)
  def of(total: Money): Money =
    val off = total * rate
    total - off

given Ordering[Money] with
  def compare(a: Money, b: Money): Int =
    a.cents - b.cents

extension (money: Money)
  def half: Money =
    money / 2

object Main:
  @main def run(args: String*): Unit =
    println(args)
"""


def test_scala_definitions() -> None:
    chunked = cut({"Cart.scala": SCALA})
    assert outline_rows(chunked) == [
        (
            "type",
            "Cart",
            7,
            38,
            "abstract class Cart[T <: Item](val items: Seq[T])(implicit log: Log) extends Priced",
        ),
        ("method", "Cart.this", 13, 15, "def this()"),
        ("method", "Cart.checkout", 17, 28, "override def checkout(rate: Rate): Money"),
        ("method", "Cart.+", 32, 33, "def +(item: T): Cart[T]"),
        ("method", "Cart.last", 35, 37, "final def last(at: Int): T"),
        ("type", "Receipt", 40, 43, "case class Receipt"),
        ("type", "CartSpec", 45, 57, "class CartSpec extends AnyFunSuite"),
        (
            "test",
            "CartSpec.an empty cart costs nothing",
            46,
            48,
            'test("an empty cart costs nothing")',
        ),
        ("test", "CartSpec.a cart.adds up", 50, 52, 'it("adds up")'),
        ("test", "CartSpec.be closed", 54, 56, '"A cart" should "be closed" in'),
    ]
    assert reasons(chunked) == {"Cart.close": "trivial"}


def test_scala_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.scala", SCALA)
    assert chunks["Cart.last"].attributes == ("@tailrec",)
    assert (
        chunks["Cart"].docstring == "What a customer is about to buy.\n\n@param items kept in order"
    )
    assert chunks["Cart.checkout"].docstring == "Adds up."
    assert chunks["Cart.checkout"].callees == ("Tax", "items.foreach", "log.info", "of", "sell")
    assert chunks["Cart.checkout"].imports == (
        "com.acme.money._",
        "java.util.List",
        "java.util.Map",
        "scala.collection.mutable",
    )
    assert cut_lines(chunks["Cart.checkout"]) == [
        "items.foreach { item =>",
        "log.info(item.name)",
        "sell[T](item)",
        "rate match {",
        "total + new Tax(rate).of(total)",
    ]


def test_scala_3_definitions() -> None:
    chunked = cut({"Discount.scala": SCALA_3})
    assert outline_rows(chunked) == [
        ("type", "Discount", 1, 5, "enum Discount(val rate: Int)"),
        ("method", "Discount.of", 3, 5, "def of(total: Money): Money"),
        ("method", "Ordering.compare", 8, 9, "def compare(a: Money, b: Money): Int"),
        ("method", "Money.half", 12, 13, "def half: Money"),
        ("type", "Main", 15, 17, "object Main"),
        ("method", "Main.run", 16, 17, "def run(args: String*): Unit"),
    ]
