"""Parameters and return types, read from signatures as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.sft.signatures import parameters, return_type

SIGNATURES = [
    (
        "Rust",
        "Pool::take",
        "pub async fn take<'a, T: Fn(u8) -> u8>(&'a mut self, mut n: usize, f: T)"
        " -> Result<Vec<T>, Error>\nwhere\n    T: Send",
        ("n", "f"),
        "Result<Vec<T>, Error>",
    ),
    (
        "Go",
        "Pool.Take",
        "func (p *Pool) Take(a, b int, f func(int) error) (int, error) {",
        ("a", "b", "f"),
        "(int, error)",
    ),
    (
        "Java",
        "Pool.take",
        "@Override public <T> List<T> take(final String a, int... b) throws IOException",
        ("a", "b"),
        "List<T>",
    ),
    (
        "TypeScript",
        "take",
        "export const take = async (a?: string, ...b: number[]): Promise<X> =>",
        ("a", "b"),
        "Promise<X>",
    ),
    ("TSX", "Card", "function Card({ title, body }: Props): JSX.Element {", (), "JSX.Element"),
    ("JavaScript", "$take", "function* $take(a = (1, 2), b) {", ("a", "b"), ""),
    ("Go", "Doer.Do", "Do(int, string) error", (), "error"),
    ("Java", "Pool.Pool", "public Pool(int size)", ("size",), ""),
    ("Rust", "broken", "fn broken(a: (", (), ""),
    ("TypeScript", "", "(a: string)", (), ""),
    (
        "Kotlin",
        "take",
        "fun take(vararg a: Int, b: String = x): List<Int>",
        ("a", "b"),
        "List<Int>",
    ),
    ("C", "take", "static int take(const char *a, size_t b)", ("a", "b"), ""),
    ("C", "take", "int take(void)", (), ""),
    ("C++", "Pool::take", "int Pool::take(std::string &a, int b = 3) const", ("a", "b"), ""),
    (
        "C#",
        "Pool.Take",
        "public async Task<int> Take(string a, int b = 3)",
        ("a", "b"),
        "Task<int>",
    ),
    ("Ruby", "Pool#take", "def take(a, b = 1, *rest, key:)", ("a", "b", "rest", "key"), ""),
    ("PHP", "Pool::take", "function take(?string $a, int ...$b): array", ("a", "b"), "array"),
    ("Swift", "take", "func take(from a: Int, _ b: String) throws -> [Int]", ("a", "b"), "[Int]"),
    ("Scala", "take", "def take(a: Int)(b: Int): List[Int] =", (), ""),
    ("Lua", "take", "function take(a, b)", ("a", "b"), ""),
    ("Haskell", "take", "take (a) b", (), ""),
    ("ReScript", "take", "let take = (~a: string, ~b=?, c): int", ("a", "b", "c"), "int"),
]


@pytest.mark.parametrize(("language", "symbol", "signature", "names", "returns"), SIGNATURES)
def test_signatures_are_read_or_left_alone(
    language: str, symbol: str, signature: str, names: tuple[str, ...], returns: str
) -> None:
    assert parameters(signature, symbol, language) == names
    assert return_type(signature, symbol, language) == returns


@given(
    st.text(alphabet="f(<[{}])>,:=-a& \n", max_size=40),
    st.sampled_from(sorted({row[0] for row in SIGNATURES})),
)
def test_no_signature_is_too_odd_to_look_at(signature: str, language: str) -> None:
    assert isinstance(parameters(signature, "a.f", language), tuple)
    assert isinstance(return_type(signature, "a.f", language), str)
