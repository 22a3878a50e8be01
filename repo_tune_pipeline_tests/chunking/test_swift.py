from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
    reasons,
)

SWIFT = """\
import Foundation
@testable import Shop
import struct Money.Cash

/// What a customer is about to buy.
///
/// - Note: kept in order
@objc(Cart)
public final class Cart<T: Item>: Priced, Closeable where T: Hashable {
    private let log: Log = .none

    var total: Int {
        items.reduce(0) { $0 + $1.price }
    }

    public init?(log: Log) throws {
        self.log = log
        super.init()
    }

    deinit {
        close()
    }

    subscript(at: Int) -> T {
        get { items[at] }
    }

    /// Adds one.
    @discardableResult
    public static func add(_ item: T, times: Int = 1) async throws -> Int {
        // Nothing is bought by mistake.
        guard let price = item.price else {
            return 0
        }
        try await store.save(item)
        items.forEach { each in
            log?.info(each.name)
        }
        switch times {
        case 1:
            once()
        default:
            many(Array<Int>(times))
        }
        #if DEBUG
        trace()
        #endif
        return price
    }
}

protocol Discount: AnyObject {
    var rate: Int { get }
    func apply(to total: Int) -> Int
}

enum Coin: String {
    case one, two
    func label() -> String {
        return rawValue
    }
}

extension Array where Element == Coin {
    func sum() -> Int {
        count
    }
}

func == (a: Cart, b: Cart) -> Bool {
    return a.id == b.id
}

final class CartTests: XCTestCase {
    func testAnEmptyCartCostsNothing() throws {
        XCTAssertEqual(0, Cart().total)
    }
    override func setUp() {
        super.setUp()
    }
}

struct CartSuite {
    @Test("adds up") func sums() {
        #expect(Cart().total == 0)
    }
}
"""


def test_swift_definitions() -> None:
    chunked = cut({"Cart.swift": SWIFT})
    assert outline_rows(chunked) == [
        (
            "type",
            "Cart",
            5,
            51,
            "public final class Cart<T: Item>: Priced, Closeable where T: Hashable",
        ),
        ("method", "Cart.total", 12, 14, "var total: Int"),
        ("method", "Cart.init", 16, 19, "public init?(log: Log) throws"),
        ("method", "Cart.deinit", 21, 23, "deinit"),
        ("method", "Cart.subscript", 25, 27, "subscript(at: Int) -> T"),
        (
            "method",
            "Cart.add",
            29,
            50,
            "public static func add(_ item: T, times: Int = 1) async throws -> Int",
        ),
        ("type", "Discount", 53, 56, "protocol Discount: AnyObject"),
        ("type", "Coin", 58, 63, "enum Coin: String"),
        ("method", "Coin.label", 60, 62, "func label() -> String"),
        ("method", "Array.sum", 66, 68, "func sum() -> Int"),
        ("function", "==", 71, 73, "func == (a: Cart, b: Cart) -> Bool"),
        ("type", "CartTests", 75, 82, "final class CartTests: XCTestCase"),
        (
            "test",
            "CartTests.testAnEmptyCartCostsNothing",
            76,
            78,
            "func testAnEmptyCartCostsNothing() throws",
        ),
        ("method", "CartTests.setUp", 79, 81, "override func setUp()"),
        ("type", "CartSuite", 84, 88, "struct CartSuite"),
        ("test", "CartSuite.sums", 85, 87, "func sums()"),
    ]
    assert reasons(chunked) == {"Discount.apply": "trivial"}


def test_swift_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Cart.swift", SWIFT)
    assert chunks["Cart.add"].attributes == ("@discardableResult",)
    assert chunks["Cart"].docstring == "What a customer is about to buy.\n\n- Note: kept in order"
    assert chunks["Cart.add"].docstring == "Adds one."
    assert chunks["Cart.add"].callees == (
        "Array",
        "info",
        "items.forEach",
        "many",
        "once",
        "store.save",
        "trace",
    )
    assert chunks["Cart.add"].imports == ("Foundation", "Money.Cash", "Shop")
    assert cut_lines(chunks["Cart.add"]) == [
        "guard let price = item.price else {",
        "return 0",
        "try await store.save(item)",
        "items.forEach { each in",
        "log?.info(each.name)",
        "switch times {",
        "once()",
        "many(Array<Int>(times))",
        "#if DEBUG",
        "trace()",
        "#endif",
        "return price",
    ]
