from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    outline_rows,
)

CPP = """\
#include <memory>
#include "shop/store.h"

using namespace std;

namespace shop::detail {

/// Keeps things in order.
template <typename T, int N = 3>
class Store final : public Base<T> {
 public:
  explicit Store(int size) noexcept : size_(size), items_{} {
    reserve(size);
  }
  Store(const Store&) = delete;
  virtual ~Store() {
    this->close();
  }
  void close();

  /** How many there are. */
  [[nodiscard]] constexpr auto size() const -> std::size_t {
    return items_.size();
  }
  T& operator[](std::size_t at) {
    return items_[at];
  }
  explicit operator bool() const {
    return size_ > 0;
  }
  template <typename U>
  void put(U&& item) {
    // Moves it where it can.
    items_.push_back(std::forward<U>(item));
    for (auto& each : items_) {
      each->template touch<U>(1);
    }
    auto copy = std::make_unique<T>(*new Item<U>(2));
  }

  enum class Order : unsigned char {
    First,
    Last,
  };

 private:
  int size_;
};

template <typename T, int N>
void Store<T, N>::close() {
  size_ = 0;
}

}  // namespace shop::detail

namespace {
const std::string& name_of(const Item& item) {
  return item.name;
}
}  // namespace

Shop::Shop() : store_(1) {
  open();
}

bool operator==(const Item& a, const Item& b) {
  return a.id == b.id;
}

char* Shop::Window::paint(int width) {
  return draw(width);
}

template <>
struct std::hash<Item> {
  std::size_t operator()(const Item& item) const noexcept {
    return item.id;
  }
};

template <typename T>
concept Priced = requires(T item) {
  item.price();
};

extern "C" int shop_open(int door) {
  return Shop().open(door);
}

TEST_F(StoreTest, KeepsOrder) {
  EXPECT_EQ(1, Store<int>(1).size());
}
"""


def test_cpp_definitions() -> None:
    chunked = cut({"store.cpp": CPP})
    assert outline_rows(chunked) == [
        (
            "type",
            "shop::detail::Store",
            8,
            48,
            "template <typename T, int N = 3> class Store final : public Base<T>",
        ),
        (
            "method",
            "shop::detail::Store::Store",
            12,
            14,
            "explicit Store(int size) noexcept : size_(size), items_{}",
        ),
        ("method", "shop::detail::Store::~Store", 16, 18, "virtual ~Store()"),
        (
            "method",
            "shop::detail::Store::size",
            21,
            24,
            "constexpr auto size() const -> std::size_t",
        ),
        ("method", "shop::detail::Store::operator[]", 25, 27, "T& operator[](std::size_t at)"),
        (
            "method",
            "shop::detail::Store::operator bool() const",
            28,
            30,
            "explicit operator bool() const",
        ),
        ("method", "shop::detail::Store::put", 31, 39, "template <typename U> void put(U&& item)"),
        ("type", "shop::detail::Store::Order", 41, 44, "enum class Order : unsigned char"),
        (
            "method",
            "shop::detail::Store::close",
            50,
            53,
            "template <typename T, int N> void Store<T, N>::close()",
        ),
        ("function", "name_of", 58, 60, "const std::string& name_of(const Item& item)"),
        ("method", "Shop::Shop", 63, 65, "Shop::Shop() : store_(1)"),
        ("function", "operator==", 67, 69, "bool operator==(const Item& a, const Item& b)"),
        ("method", "Shop::Window::paint", 71, 73, "char* Shop::Window::paint(int width)"),
        ("type", "std::hash<Item>", 75, 80, "template <> struct std::hash<Item>"),
        (
            "method",
            "std::hash<Item>::operator()",
            77,
            79,
            "std::size_t operator()(const Item& item) const noexcept",
        ),
        ("type", "Priced", 82, 85, "template <typename T> concept Priced"),
        ("function", "shop_open", 87, 89, 'extern "C" int shop_open(int door)'),
        ("test", "StoreTest::KeepsOrder", 91, 93, "TEST_F(StoreTest, KeepsOrder)"),
    ]


def test_cpp_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("store.cpp", CPP)
    assert chunks["shop::detail::Store::size"].attributes == ("[[nodiscard]]",)
    assert chunks["shop::detail::Store"].docstring == "Keeps things in order."
    assert chunks["shop::detail::Store::put"].docstring == ""
    assert chunks["shop::detail::Store::put"].callees == (
        "Item",
        "items_.push_back",
        "std::forward",
        "std::make_unique",
    )
    assert chunks["shop::detail::Store::put"].imports == ("memory", "shop/store.h")
    assert cut_lines(chunks["shop::detail::Store::put"]) == [
        "items_.push_back(std::forward<U>(item));",
        "for (auto& each : items_) {",
        "each->template touch<U>(1);",
        "auto copy = std::make_unique<T>(*new Item<U>(2));",
    ]
