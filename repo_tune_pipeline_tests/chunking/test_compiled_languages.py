from repo_tune_pipeline_tests.chunking.helpers import (
    cut,
    cut_lines,
    cut_one,
    documentation,
    outline,
    reasons,
)

RUST = """//! Storage.
use std::{fmt, io::{self, Read as R}};
use crate::a::*;

/// A store.
///
///     Store::new()
#[derive(Debug, Clone)]
pub struct Store<T> {
    /// kept in order
    items: Vec<T>,
}

impl<'a, T> fmt::Display for &'a Store<T> {
    /* Writes
     * the length.
     */
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // why
        let x = self.items.len();
        if x > 0 {
            write!(f, "é{}", x)?;
        }
        foo::<u8>(x); Ok(())
    }
}

pub trait Run {
    fn run(&self);
    fn twice(&self) {
        self.run();
        #[allow(unused)]
        let x = 1;
    }
}

mod inner {
    pub enum Size {
        Small,
    }

    #[cfg(test)]
    mod tests {
        #[tokio::test]
        async fn it_works() {
            assert_eq!(super::size(1), 2);
        }
    }
}
struct Unit;
"""

GO = """package shop

import (
	"fmt"
	str "strings"
)

//go:generate stringer
// Server serves.
// Twice.
type Server[T any] struct {
	name string
}

type (
	// Reader reads.
	Reader interface {
		Read() int
	}
	ID string
)

// Run runs.
func (s *Server[T]) Run(n int) (int, error) {
	switch n {
	case 1:
		fmt.Println(str.ToUpper("é"), s.name)
	}
	defer func() {
		s.close()
	}()
	return n, nil
}

func TestRun(t *testing.T) {
	(&Server[int]{}).Run(1)
}

func TestHelper(n int) int {
	return n
}
"""

JAVA = """package shop;
import java.util.List;
import static java.lang.Math.*;

/**
 * A box.
 * <p>More.
 */
@Deprecated
public class Box<T> extends Base implements Thing {
    private int x = 1;

    /** Makes one. */
    public Box(int x) {
        this.x = x;
    }

    // Reads.
    @Override
    public @Nullable String get(@NonNull List<T> a) throws E {
        for (T t : a) {
            this.log.info(t.toString()); new Foo<String>(1);
        }
        return null;
    }

    abstract void nothing();

    interface Inner {
        void a();
    }

    @Test
    void adds() {
        assertEquals(1, get(null));
    }
}
"""


def test_rust_definitions() -> None:
    assert outline(cut_one("store.rs", RUST)) == [
        ("type", "Store", 5, 12, "pub struct Store<T>"),
        (
            "method",
            "Store::fmt",
            15,
            25,
            "fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result",
        ),
        ("type", "Run", 28, 35, "pub trait Run"),
        ("method", "Run::twice", 30, 34, "fn twice(&self)"),
        ("type", "inner::Size", 38, 40, "pub enum Size"),
        ("test", "inner::tests::it_works", 44, 47, "async fn it_works()"),
    ]
    assert reasons(cut({"store.rs": RUST})) == {"Run::run": "trivial", "Unit": "trivial"}


def test_rust_documentation_stands_above_and_inside_the_slice() -> None:
    chunks = cut_one("store.rs", RUST)
    assert chunks["Store"].docstring == "A store.\n\n    Store::new()"
    assert documentation(chunks["Store"]) == "/// A store.\n///\n///     Store::new()\n"
    assert chunks["Store::fmt"].docstring == "Writes\nthe length."
    assert chunks["Run"].docstring == ""


def test_rust_calls_imports_and_cuts() -> None:
    chunks = cut_one("store.rs", RUST)
    assert chunks["Store::fmt"].callees == ("Ok", "foo", "self.items.len", "write")
    assert chunks["Store"].imports == ("crate::a::*", "std::fmt", "std::io", "std::io::Read")
    assert cut_lines(chunks["Store::fmt"]) == [
        "let x = self.items.len();",
        "if x > 0 {",
        'write!(f, "é{}", x)?;',
        "foo::<u8>(x); Ok(())",
    ]
    assert cut_lines(chunks["Run::twice"]) == ["self.run();", "#[allow(unused)]"]


def test_go_definitions() -> None:
    assert outline(cut_one("server.go", GO)) == [
        ("type", "Server", 8, 13, "type Server[T any] struct"),
        ("type", "Reader", 16, 19, "Reader interface"),
        ("method", "Server.Run", 23, 33, "func (s *Server[T]) Run(n int) (int, error)"),
        ("test", "TestRun", 35, 37, "func TestRun(t *testing.T)"),
        ("function", "TestHelper", 39, 41, "func TestHelper(n int) int"),
    ]
    assert reasons(cut({"server.go": GO})) == {"ID": "trivial"}


def test_go_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("server.go", GO)
    assert chunks["Server"].docstring == "Server serves.\nTwice."
    assert chunks["Reader"].docstring == "Reader reads."
    assert documentation(chunks["Server.Run"]) == "// Run runs.\n"
    assert chunks["Server.Run"].callees == ("fmt.Println", "s.close", "str.ToUpper")
    assert chunks["Server.Run"].imports == ("fmt", "strings")
    assert cut_lines(chunks["Server.Run"]) == [
        "switch n {",
        'fmt.Println(str.ToUpper("é"), s.name)',
        "defer func() {",
        "s.close()",
        "return n, nil",
    ]


def test_java_definitions() -> None:
    chunks = cut_one("Box.java", JAVA)
    assert outline(chunks) == [
        ("type", "Box", 5, 37, "public class Box<T> extends Base implements Thing"),
        ("method", "Box.Box", 13, 16, "public Box(int x)"),
        (
            "method",
            "Box.get",
            18,
            25,
            "public @Nullable String get(@NonNull List<T> a) throws E",
        ),
        ("type", "Box.Inner", 29, 31, "interface Inner"),
        ("test", "Box.adds", 33, 36, "void adds()"),
    ]
    assert reasons(cut({"Box.java": JAVA})) == {"Box.nothing": "trivial", "Box.Inner.a": "trivial"}


def test_java_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("Box.java", JAVA)
    assert chunks["Box"].docstring == "A box.\n<p>More."
    assert chunks["Box.Box"].docstring == "Makes one."
    assert documentation(chunks["Box.get"]) == "    // Reads.\n"
    assert chunks["Box.get"].callees == ("Foo", "t.toString", "this.log.info")
    assert chunks["Box"].imports == ("java.lang.Math.*", "java.util.List")
    assert cut_lines(chunks["Box.get"]) == [
        "for (T t : a) {",
        "this.log.info(t.toString()); new Foo<String>(1);",
        "return null;",
    ]
