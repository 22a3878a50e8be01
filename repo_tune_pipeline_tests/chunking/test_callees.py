"""A callee is told by its text and counts only where the tree says that it is called."""

import pytest

from repo_tune_pipeline_tests.chunking.helpers import cut_one

RUST = """
fn f(e: E) -> R {
    // comment(1)
    let text = "quoted(1)";
    match e {
        Pattern(x) => made(x),
        other if guard(other) => Built(2),
    }
    budget(1);
    let last = 0..items.len();
    spaced! { a };
    xs.iter().collect::<Vec<_>>();
    self.items.push(format!("{}", 1));
}
"""
PYTHON = '''
def f(a):
    """Docstring(1)."""
    if (a):
        return f"{shown(a)} hidden(a)"
    session.get("x").append(1)
    budget(1); x = "get(1)"

    def inner(b):
        return b
    class Local(Base):
        pass
    return not (a)
'''
JAVA = """
class A {
    void f() {
        Map<String, List<X>> m = new HashMap<String, List<X>>(2);
        if (a) { this.b.c(); }
        String s = "quoted(1)"; // comment(1)
        run(new Runnable() {
            public void go(int n) { List.<String>of(); }
        });
    }
    A(int x) {
        super(x);
        other(x);
    }
}
"""
TYPESCRIPT = """
export function f(a: A): void {
  const b = gql`query { hidden(1) }`;
  promise.then((x) => x).catch(done);
  const c = new Map<string, { n: number }>([]);
  a?.b.c(...rest(1));
  switch (a) { default: }
}
"""


@pytest.mark.parametrize(
    ("path", "text", "symbol", "callees"),
    [
        (
            "a.rs",
            RUST,
            "f",
            "Built budget collect format guard items.len made self.items.push spaced xs.iter",
        ),
        ("a.py", PYTHON, "f", "append budget session.get shown"),
        ("A.java", JAVA, "A.f", "HashMap Runnable of run this.b.c"),
        ("A.java", JAVA, "A.A", "other"),
        ("a.ts", TYPESCRIPT, "f", "Map c catch gql promise.then rest"),
        (
            "a.go",
            'package a\n\nfunc f() {\n\tg(x.(T), []byte("h(1)"))\n\tfunc() {}()\n}\n',
            "f",
            "g",
        ),
    ],
)
def test_only_what_is_called_is_a_callee(path: str, text: str, symbol: str, callees: str) -> None:
    assert cut_one(path, text)[symbol].callees == tuple(callees.split())


def test_a_name_that_ends_anothers_isnt_called_with_it() -> None:
    text = 'def f():\n    x = "get(1)"\n    budget(2)\n    y = ".add(1)"\n    s.add(2)\n'
    assert cut_one("a.py", text)["f"].callees == ("budget", "s.add")
