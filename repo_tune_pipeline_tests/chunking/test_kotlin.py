from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

KOTLIN = """\
package com.acme.shop

import kotlinx.coroutines.flow.Flow
import okio.Buffer as Bytes
import com.acme.money.*

/**
 * What a customer is about to buy.
 *
 * @property items kept in order
 */
@Serializable
data class Cart<T : Item>(val items: List<T>) :
    Priced(), Closeable where T : Any {
    val total: Money
        get() = items.sumOf { it.price }

    constructor(log: Log) : this(emptyList()) {
        log.info("empty")
    }

    /** Adds up, [rate] on top. */
    @Throws(IOException::class)
    override suspend fun checkout(rate: Rate = standard()): Money {
        // Nothing to pay for nothing.
        if (items.isEmpty()) return Money.ZERO
        items.forEach { item ->
            log.info("sold ${item.name}")
            item.sell<T>(this)
        }
        return total + rate.of(total)
    }

    abstract fun close()

    companion object {
        fun of(vararg items: Item): Cart<Item> =
            Cart(items.toList())
    }
}

data class Receipt(
    val lines: List<String>,
    val total: Money,
) : Printable

sealed interface Discount {
    object None : Discount {
        override fun apply(to: Money): Money {
            return to
        }
    }
}

inline fun <T> List<T>?.orEmptyList(): List<T> {
    return this ?: listOf()
}

class CartTest {
    @Test
    fun `an empty cart costs nothing`() {
        assertEquals(Money.ZERO, Cart.of().total)
    }
}
"""


def test_kotlin_definitions() -> None:
    chunked = cut({"Cart.kt": KOTLIN})
    assert outline_rows(chunked) == [
        (
            "type",
            "Cart",
            7,
            40,
            "data class Cart<T : Item>(val items: List<T>) : Priced(), Closeable where T : Any",
        ),
        ("method", "Cart.constructor", 18, 20, "constructor(log: Log) : this(emptyList())"),
        (
            "method",
            "Cart.checkout",
            22,
            32,
            "override suspend fun checkout(rate: Rate = standard()): Money",
        ),
        ("method", "Cart.of", 37, 38, "fun of(vararg items: Item): Cart<Item>"),
        ("type", "Receipt", 42, 45, "data class Receipt"),
        ("type", "Discount", 47, 53, "sealed interface Discount"),
        ("type", "Discount.None", 48, 52, "object None : Discount"),
        ("method", "Discount.None.apply", 49, 51, "override fun apply(to: Money): Money"),
        ("function", "List.orEmptyList", 55, 57, "inline fun <T> List<T>?.orEmptyList(): List<T>"),
        ("type", "CartTest", 59, 64, "class CartTest"),
        (
            "test",
            "CartTest.an empty cart costs nothing",
            60,
            63,
            "fun `an empty cart costs nothing`()",
        ),
    ]
    assert reasons(chunked) == {"Cart.close": "trivial"}


def test_kotlin_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.kt", KOTLIN)
    assert chunks["Cart.checkout"].attributes == ("@Throws(IOException::class)",)
    assert chunks["Cart"].attributes == ("@Serializable",)
    assert (
        chunks["Cart"].docstring
        == "What a customer is about to buy.\n\n@property items kept in order"
    )
    assert chunks["Cart.checkout"].docstring == "Adds up, [rate] on top."
    assert chunks["Cart.checkout"].callees == (
        "item.sell",
        "items.forEach",
        "items.isEmpty",
        "log.info",
        "rate.of",
    )
    assert chunks["Cart.checkout"].imports == (
        "com.acme.money.*",
        "kotlinx.coroutines.flow.Flow",
        "okio.Buffer",
    )
    assert cut_lines(chunks["Cart.checkout"]) == [
        "if (items.isEmpty()) return Money.ZERO",
        "items.forEach { item ->",
        'log.info("sold ${item.name}")',
        "item.sell<T>(this)",
        "return total + rate.of(total)",
    ]
