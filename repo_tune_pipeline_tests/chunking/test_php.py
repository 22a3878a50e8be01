from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

PHP = r"""<?php

declare(strict_types=1);

namespace App\Shop;

use App\Money\{Cash, Rate as R};
use Psr\Log\LoggerInterface;
use function App\tax;
require_once 'vendor/autoload.php';

/**
 * What a customer is about to buy.
 *
 * @template T
 */
#[Entity]
final class Cart extends Priced implements \Countable
{
    use Logs;

    public function __construct(private LoggerInterface $log, int $size = 1)
    {
        parent::__construct($size);
    }

    /** Adds one. */
    #[Pure, Deprecated]
    public static function add(Item $item, int ...$times): ?self
    {
        // Nothing is bought by mistake.
        if ($item === null) {
            throw new \InvalidArgumentException('item');
        }
        $this->log->info("added {$item->name}");
        Rate::of($item)?->apply();
        switch ($times) {
            case 1:
                return self::once();
            default:
                $all = array_map(fn ($each) => tax($each), $times);
        }
        return new Cart();
    }

    abstract protected function close(): void;
}

enum Coin: int
{
    case One = 1;

    public function label(): string
    {
        return \strtolower($this->name);
    }
}

function half(int $price): int
{
    return intdiv($price, 2);
}

class CartTest extends TestCase
{
    public function testAnEmptyCartCostsNothing(): void
    {
        $this->assertSame(0, (new Cart())->total());
    }

    #[Test]
    public function it_adds_up(): void
    {
        $this->check();
    }
}

it('is closed', function () {
    expect(Cart::closed())->toBeTrue();
});
?>
<p>Thank you.</p>
"""


def test_php_definitions() -> None:
    chunked = cut({"Cart.php": PHP})
    assert outline_rows(chunked) == [
        (
            "type",
            "App\\Shop::Cart",
            12,
            47,
            "final class Cart extends Priced implements \\Countable",
        ),
        (
            "method",
            "App\\Shop::Cart::__construct",
            22,
            25,
            "public function __construct(private LoggerInterface $log, int $size = 1)",
        ),
        (
            "method",
            "App\\Shop::Cart::add",
            27,
            44,
            "public static function add(Item $item, int ...$times): ?self",
        ),
        ("type", "App\\Shop::Coin", 49, 57, "enum Coin: int"),
        ("method", "App\\Shop::Coin::label", 53, 56, "public function label(): string"),
        ("function", "App\\Shop::half", 59, 62, "function half(int $price): int"),
        ("type", "App\\Shop::CartTest", 64, 76, "class CartTest extends TestCase"),
        (
            "test",
            "App\\Shop::CartTest::testAnEmptyCartCostsNothing",
            66,
            69,
            "public function testAnEmptyCartCostsNothing(): void",
        ),
        ("test", "App\\Shop::CartTest::it_adds_up", 71, 75, "public function it_adds_up(): void"),
        ("test", "App\\Shop::is closed", 78, 80, "it('is closed', function ()"),
    ]
    assert reasons(chunked) == {"App\\Shop::Cart::close": "trivial"}


def test_php_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.php", PHP)
    assert chunks["App\\Shop::Cart::add"].attributes == ("#[Pure, Deprecated]",)
    assert chunks["App\\Shop::Cart"].docstring == "What a customer is about to buy.\n\n@template T"
    assert chunks["App\\Shop::Cart::add"].docstring == "Adds one."
    assert chunks["App\\Shop::Cart::add"].callees == (
        "Cart",
        "InvalidArgumentException",
        "Rate::of",
        "apply",
        "array_map",
        "info",
        "self::once",
        "tax",
    )
    assert chunks["App\\Shop::Cart::add"].imports == (
        "App\\Money\\Cash",
        "App\\Money\\Rate",
        "App\\tax",
        "Psr\\Log\\LoggerInterface",
        "vendor/autoload.php",
    )
    assert cut_lines(chunks["App\\Shop::Cart::add"]) == [
        "if ($item === null) {",
        "throw new \\InvalidArgumentException('item');",
        '$this->log->info("added {$item->name}");',
        "Rate::of($item)?->apply();",
        "switch ($times) {",
        "return self::once();",
        "$all = array_map(fn ($each) => tax($each), $times);",
        "return new Cart();",
    ]
