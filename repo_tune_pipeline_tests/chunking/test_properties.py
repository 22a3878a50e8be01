"""Whatever the text, a chunk is the slice that its lines say."""

import ast
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.settings import ChunkingSettings
from repo_tune_pipeline_tests.chunking.helpers import LANGUAGES, assert_exact, cut, snapshot

NAMES = st.sampled_from(["a", "größe", "数", "_x", "test_it", "Ünïcode"])
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters='"\\\r\n\0')
STRINGS = st.text(CHARACTERS, max_size=9)
ENDS = st.sampled_from(["\n", "\r\n"])
INDENTS = st.sampled_from(["    ", "\t", "  "])
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def python_block(draw: st.DrawFn, indent: str, depth: int) -> list[str]:
    """Lines of a block, without their common indentation."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        name, text = draw(NAMES), draw(STRINGS)
        form = draw(st.integers(0, 6 if depth else 3))
        if form == 0:
            lines.append(f'{name} = "{text}"; {name}.go("é", {name}())')
        elif form == 1:
            lines += [f'{name} = """{text}', "not = code", '"""']
        elif form == 2:
            lines += [f"# {text}", f"{name}([", "  1,", "])", ""]
        elif form == 3:
            lines.append(f"return {name}")
        else:
            head = (f"def {name}({name}='{name}'):", f"if {name}:", f"class {name}(object):")
            decorated = form != 5 and draw(st.booleans())
            lines += ["@decorated", head[form - 4]] if decorated else [head[form - 4]]
            block = draw(python_block(indent, depth - 1))
            if draw(st.booleans()):
                block = [f'"""{name}: {text}', "", 'more."""', *block]
            lines += _indented(block, indent)
    return lines


def _indented(block: list[str], indent: str) -> list[str]:
    return [indent + line if line else "" for line in block]


@st.composite
def python_sources(draw: st.DrawFn) -> str:
    indent, end = draw(INDENTS), draw(ENDS)
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        head = draw(st.sampled_from(["def {}():", "class {}:", "@deco\nasync def {}(a, *b):"]))
        lines += head.format(draw(NAMES)).split("\n")
        lines += _indented(draw(python_block(indent, 2)), indent)
    return end.join(lines) + draw(st.sampled_from(["", end]))


def definitions(text: str) -> set[tuple[int, int]]:
    """First and last line of what Python itself finds outside functions."""
    found: set[tuple[int, int]] = set()
    todo: list[ast.AST] = [ast.parse(text)]
    while todo:
        for node in ast.iter_child_nodes(todo.pop()):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function or isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                found.add((first, node.end_lineno or 0))
            if not function:
                todo.append(node)
    return found


def parsed(source: str) -> ast.AST:
    """The definition at the top of a chunk that may be indented."""
    if source[0].isspace():
        return ast.parse(f"if 1:\n{source}").body[0].body[0]
    return ast.parse(source).body[0]


@QUIET
@given(python_sources())
def test_python_is_cut_where_python_itself_sees_definitions(text: str) -> None:
    chunked = cut({"a.py": text})
    found = {(each.start_line, each.end_line) for each in (*chunked.chunks, *chunked.rejections)}
    assert found == definitions(text)
    for chunk in chunked.chunks:
        assert_exact(chunk, text)
        node = parsed(chunk.source)
        assert chunk.docstring == (ast.get_docstring(node) or "").strip()
        starts = {each.lineno for each in ast.walk(node) if isinstance(each, ast.stmt)}
        starts |= {
            each.lineno for owner in ast.walk(node) for each in getattr(owner, "decorator_list", ())
        }
        shift = 1 if chunk.source[0].isspace() else 0
        for at in chunk.cut_points:
            assert chunk.source.count("\n", 0, at) + 1 + shift in starts


@QUIET
@given(python_sources())
def test_python_parses_without_its_docstring(text: str) -> None:
    for chunk in cut({"a.py": text}).chunks:
        if chunk.doc_span is None or len(parsed(chunk.source).body) == 1:
            continue
        start, end = chunk.doc_span
        assert ast.get_docstring(parsed(chunk.source[:start] + chunk.source[end:])) is None


@st.composite
def long_functions(draw: st.DrawFn) -> str:
    indent, end = draw(INDENTS), draw(ENDS)
    blocks = [draw(python_block(indent, 1)) for _ in range(draw(st.integers(1, 9)))]
    head = draw(st.sampled_from(["def f():", "@deco\nasync def f(a, *b):"]))
    body = [line for block in blocks for line in block]
    return end.join([*head.split("\n"), *_indented(body, indent)])


@QUIET
@given(long_functions(), st.integers(200, 400))
def test_the_parts_of_a_long_function_are_all_of_it_in_order(text: str, limit: int) -> None:
    chunked = cut({"a.py": text}, max_chunk_chars=limit)
    if chunked.funnel.dropped:
        assert chunked.funnel.dropped == {"too_long": 1}
        assert not chunked.chunks
        return
    parts = chunked.chunks
    assert [chunk.part for chunk in parts] == [(at, len(parts)) for at in range(1, len(parts) + 1)]
    assert "\n".join(chunk.source for chunk in parts).rstrip() == text.rstrip()
    assert len({(chunk.symbol, chunk.signature, chunk.kind) for chunk in parts}) == 1
    statements = {each.lineno for each in ast.walk(ast.parse(text)) if isinstance(each, ast.stmt)}
    statements |= {
        each.lineno
        for owner in ast.walk(ast.parse(text))
        for each in getattr(owner, "decorator_list", ())
    }
    for chunk in parts:
        assert_exact(chunk, text)
        assert len(chunk.source) <= limit
        assert chunk.part[0] == 1 or chunk.start_line in statements


@QUIET
@given(python_sources(), python_sources())
def test_a_chunk_has_the_id_of_its_place_and_content(text: str, other: str) -> None:
    def ids(sources: dict[str, str], commit: str = "c" * 40) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {path: [] for path in sources}
        taken = replace(snapshot(sources), commit=commit)
        for chunk in chunk_snapshot(taken, ChunkingSettings()).chunks:
            found[chunk.path].append(chunk.chunk_id)
        return found

    both = ids({"a.py": text, "b.py": other, "d/a.py": text})
    every = [each for path in both for each in both[path]]
    assert len(set(every)) == len(every)
    assert ids({"a.py": text}, "e" * 40)["a.py"] == both["a.py"]
    longer = ids({"a.py": f"{text}\n\ndef last(x):\n    return x\n"})["a.py"]
    assert longer[: len(both["a.py"])] == both["a.py"]
    assert set(ids({"a.py": f"\n{text}"})["a.py"]).isdisjoint(both["a.py"])


FRAGMENTS = st.sampled_from(
    [
        *("fn f() {", "func f() {", "function f() {", "class A {", "void f() {", "def f():", "}"),
        *("// é", "/// doc", "/** doc */", "/*", "*/", "#[test]", "@Test", "# h", "===", "```"),
        *(
            "def f do",
            "do",
            "end",
            "f() {",
            "=begin",
            "=end",
            "--[[",
            "]]",
            '@doc """',
            '"""',
            "::",
        ),
        *("\n", "\r\n", "\r", "\t", "    ", " ", "x = 1;", "f(数);", "'", '"', "(", ")", "{", "\0"),
        *(
            "\ufeff",
            "\x0c",
            "\u2028",
            "😀",
            "import a;",
            "use a::{b};",
            "export default",
            "=>",
            ";",
        ),
    ]
)


@QUIET
@given(st.sampled_from(sorted(LANGUAGES)), st.lists(FRAGMENTS | st.text(max_size=5), max_size=40))
def test_any_text_is_cut_exactly(suffix: str, parts: list[str]) -> None:
    text = "".join(parts)
    chunked = cut({f"a.{suffix}": text})
    assert chunked.funnel.seen == len(chunked.chunks) + len(chunked.rejections) > 0
    for chunk in chunked.chunks:
        assert_exact(chunk, text)
