from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

CSHARP = """\
using System.Collections.Generic;
using static System.Math;
using Cash = Acme.Money.Cash;
global using Xunit;

namespace Acme.Shop;

/// <summary>
/// What a customer is about to buy.
/// </summary>
[Serializable]
[Obsolete("use Basket")]
public sealed class Cart<T> : Priced<T>, IDisposable where T : class
{
    private readonly ILog _log;

    public int Count { get; private set; }

    public int Total
    {
        get { return _total; }
        set
        {
            _total = Max(0, value);
        }
    }

    public Cart(ILog log) : base(log)
    {
        _log = log;
    }

    #region Items
    [Pure]
    public async Task<int> AddAsync(T item, int times = 1)
    {
        // Nothing is bought by mistake.
        if (item is null)
        {
            throw new ArgumentNullException(nameof(item));
        }
        await _store.SaveAsync<T>(item).ConfigureAwait(false);
#if TRACE
        _log?.Info("added");
#endif
        return new List<int> { times }.Count;
    }
    #endregion

    public static Cart<T> operator +(Cart<T> a, Cart<T> b)
    {
        return a.Join(b);
    }

    void IDisposable.Dispose() =>
        Close();

    public abstract void Close();
}

public record Receipt(
    string[] Lines,
    int Total);

public class CartTests
{
    [Fact]
    public void Empty_cart_costs_nothing()
    {
        Assert.Equal(0, new Cart<Item>(log).Total);
    }

    [Theory, InlineData(1)]
    public void Adds_up(int times)
    {
        Check(times);
    }
}
"""

NESTED_CSHARP = """\
namespace Acme.Shop
{
    namespace Till
    {
        enum Coin
        {
            One,
        }
    }
}

Run();
void Run()
{
    Console.WriteLine("open");
}
"""


def test_csharp_definitions() -> None:
    chunked = cut({"Cart.cs": CSHARP})
    assert outline_rows(chunked) == [
        (
            "type",
            "Acme.Shop.Cart",
            8,
            59,
            "public sealed class Cart<T> : Priced<T>, IDisposable where T : class",
        ),
        ("method", "Acme.Shop.Cart.Total", 19, 26, "public int Total"),
        ("method", "Acme.Shop.Cart.Cart", 28, 31, "public Cart(ILog log) : base(log)"),
        (
            "method",
            "Acme.Shop.Cart.AddAsync",
            34,
            47,
            "public async Task<int> AddAsync(T item, int times = 1)",
        ),
        (
            "method",
            "Acme.Shop.Cart.+",
            50,
            53,
            "public static Cart<T> operator +(Cart<T> a, Cart<T> b)",
        ),
        ("method", "Acme.Shop.Cart.Dispose", 55, 56, "void IDisposable.Dispose()"),
        ("type", "Acme.Shop.Receipt", 61, 63, "public record Receipt"),
        ("type", "Acme.Shop.CartTests", 65, 78, "public class CartTests"),
        (
            "test",
            "Acme.Shop.CartTests.Empty_cart_costs_nothing",
            67,
            71,
            "public void Empty_cart_costs_nothing()",
        ),
        ("test", "Acme.Shop.CartTests.Adds_up", 73, 77, "public void Adds_up(int times)"),
    ]
    assert reasons(chunked) == {"Acme.Shop.Cart.Close": "trivial"}


def test_csharp_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.cs", CSHARP)
    assert chunks["Cart"].source == CSHARP[: CSHARP.index("\n\n///")]
    assert chunks["Acme.Shop.Cart"].attributes == ("[Serializable]", '[Obsolete("use Basket")]')
    assert chunks["Acme.Shop.Cart"].docstring == "What a customer is about to buy."
    assert chunks["Acme.Shop.Cart.AddAsync"].docstring == ""
    assert chunks["Acme.Shop.Cart.AddAsync"].callees == (
        "ArgumentNullException",
        "ConfigureAwait",
        "Info",
        "List",
        "_store.SaveAsync",
        "nameof",
    )
    assert chunks["Acme.Shop.Cart.AddAsync"].imports == (
        "Acme.Money.Cash",
        "System.Collections.Generic",
        "System.Math",
        "Xunit",
    )
    assert cut_lines(chunks["Acme.Shop.Cart.AddAsync"]) == [
        "if (item is null)",
        "throw new ArgumentNullException(nameof(item));",
        "await _store.SaveAsync<T>(item).ConfigureAwait(false);",
        "#if TRACE",
        '_log?.Info("added");',
        "return new List<int> { times }.Count;",
    ]


def test_nested_csharp_definitions() -> None:
    chunked = cut({"Nested.cs": NESTED_CSHARP})
    assert outline_rows(chunked) == [
        ("type", "Acme.Shop.Till.Coin", 5, 8, "enum Coin"),
        ("function", "Run", 13, 16, "void Run()"),
    ]
