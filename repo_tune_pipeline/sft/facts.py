"""What a chunk's own text says about it: kind of thing, parameters, what it returns and raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft import signatures
from repo_tune_pipeline.sft.branches import branches_of
from repo_tune_pipeline.sft.members import cases_of, fields_of
from repo_tune_pipeline.sft.test_code import is_test_code

_MAX_EXPRESSION = 60
_TYPE_WORD = re.compile(r"\b(class|struct|enum|interface|trait|union|record|impl|type|module)\b")
_THROWN = re.compile(r"\bthrow\s+new\s+([A-Za-z_$][\w$.]*)")
# Calling these says nothing about what a piece of code is for. A fixed list, so that the same
# source gives the same examples under every version of Python.
_COMMONPLACE = frozenset(
    {
        *("bool", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"),
        *("any", "all", "enumerate", "getattr", "hasattr", "isinstance", "issubclass", "iter"),
        *("len", "max", "min", "next", "range", "repr", "reversed", "sorted", "sum", "super"),
        *("type", "vars", "zip", "print", "cast", "Some", "Ok", "Err", "String::from", "vec!"),
        *("append", "make", "panic", "console.log", "require", "Boolean", "Number", "String"),
    }
)
_BASIC_LIST = """
    add all any append apply array asarray at bind bool call clone concat contains copy
    decode default dict encode endswith equals errorf err error extend fatal fatalf filter find
    findindex flatmap foreach format from get getexn getor getorthrow getwithdefault has hasnext
    hasownproperty
    ignore includes indexof insert int isempty isnone issome iter items join keep keepmap keys len
    length log lower lowercase make map mapwithindex match new next none now ok orelse parse pop
    print println push put reduce remove replace resolve reverse set setdefault setitem size skip
    slice some sort split splice startswith stringify strip substring sum then toarray tofloat
    tolowercase tolower tostring touppercase toupper trim unwrap update upper value values
    withdefault
    assertthat assertthrows assertequals asserttrue assertfalse isequalto istrue isfalse isnull
    isnotnull issameinstanceas hasmessagethat should expect tobe toequal recover requirenonnull
    setup panic catch finally useeffect usestate useref usememo usecallback
"""
_BASIC = frozenset(_BASIC_LIST.split())
_TEST_OWNERS = frozenset({"t", "b", "JSON.Decode", "JSON.Encode", "Math", "Object"})
_MIN_NAME = 3
_OWNERS = re.compile(r"::|[.#]")
_CONSTRUCTORS = {
    "Python": "__init__",
    "PHP": "__construct",
    "JavaScript": "constructor",
    "TypeScript": "constructor",
    "TSX": "constructor",
    "Ruby": "initialize",
    "Swift": "init",
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and expressions as they stand in the source; empty where nothing is evident.

    `calls` are in the order of the code, without what is commonplace in any program. `returns`
    is a type or, for Python without an annotation, the only returned expression;
    `bases`, `members` (methods), `fields` and `cases` belong to types. `branches` are sentences.
    """

    calls: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    returns: str = ""
    raises: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


def noun(chunk: CodeChunk) -> str:
    """What kind of thing the chunk is, in the words of its language."""
    if any("react.component" in each for each in chunk.attributes):
        return "React component"
    if chunk.kind == "module":
        return "file header"
    if chunk.kind != "type":
        names = _OWNERS.split(chunk.symbol)
        made = len(names) > 1 and (
            names[-1] == names[-2] or names[-1] == _CONSTRUCTORS.get(chunk.language)
        )
        if chunk.kind == "test" and chunk.language == "Python" and not is_test_code(chunk.path):
            return "method" if len(names) > 1 else "function"
        if chunk.kind == "test" and chunk.language == "Go" and names[-1].startswith("Benchmark"):
            return "benchmark"
        return "constructor" if made and chunk.kind != "test" else chunk.kind
    found = _TYPE_WORD.search(chunk.signature)
    word = found[1] if found else "type"
    if word == "interface" and "@interface" in chunk.signature:
        return "annotation"
    return "implementation" if word == "impl" else word


def collect(chunk: CodeChunk, code: str, tree: ast.AST | None) -> Facts:
    """The facts of one chunk; `code` is its text without docs, `tree` its Python syntax."""
    if chunk.language == "Python":
        known = _python_facts(tree)
    elif chunk.kind == "type":
        known = Facts(fields=fields_of(chunk, code), cases=cases_of(chunk, code))
    else:
        known = Facts(
            parameters=signatures.parameters(chunk.signature, chunk.symbol, chunk.language),
            returns=signatures.return_type(chunk.signature, chunk.symbol, chunk.language),
            raises=tuple(dict.fromkeys(_THROWN.findall(code))),
        )
    returns = known.returns if known.returns in code else ""
    branches = () if chunk.kind in ("type", "module") else branches_of(chunk.language, code, tree)
    return replace(known, returns=returns, calls=_calls(chunk, code, known), branches=branches)


def _calls(chunk: CodeChunk, code: str, known: Facts) -> tuple[str, ...]:
    told = _COMMONPLACE.union(known.raises, known.parameters)
    names = (name for name in chunk.callees if name not in told and not _is_basic(name))
    placed = sorted((code.find(name), name) for name in names)
    return tuple(name for _, name in placed)


def _is_basic(name: str) -> bool:
    """Whether a called name is one that strings, collections and test runners have."""
    owner, _, last = name.replace("::", ".").rpartition(".")
    return (
        last.lower() in _BASIC
        or last.startswith("__")
        or owner in _TEST_OWNERS
        or len(last) < _MIN_NAME
    )


def _python_facts(tree: ast.AST | None) -> Facts:
    if isinstance(tree, ast.ClassDef):
        methods = [node.name for node in tree.body if isinstance(node, _FUNCTIONS)]
        return Facts(
            bases=tuple(ast.unparse(base) for base in tree.bases),
            members=tuple(dict.fromkeys(methods)),
        )
    if not isinstance(tree, _FUNCTIONS):
        return Facts()
    own = list(_own_nodes(tree))
    raised = (node.exc for node in own if isinstance(node, ast.Raise) and node.exc)
    names = (ast.unparse(exc.func if isinstance(exc, ast.Call) else exc) for exc in raised)
    return Facts(
        parameters=_python_parameters(tree.args),
        returns=_python_return(tree, own),
        raises=tuple(dict.fromkeys(name for name in names if name[:1].isupper() or "." in name)),
    )


def _python_parameters(args: ast.arguments) -> tuple[str, ...]:
    named = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    if named and named[0] in ("self", "cls"):
        named = named[1:]
    if args.vararg:
        named.append(f"*{args.vararg.arg}")
    named += [arg.arg for arg in args.kwonlyargs]
    if args.kwarg:
        named.append(f"**{args.kwarg.arg}")
    return tuple(named)


def _python_return(tree: ast.FunctionDef | ast.AsyncFunctionDef, own: list[ast.AST]) -> str:
    declared = tree.returns
    if isinstance(declared, ast.Constant) and isinstance(declared.value, str):
        return _short(declared.value)
    if declared is not None:
        return _short(ast.unparse(declared))
    returned = [node.value for node in own if isinstance(node, ast.Return)]
    only = returned[0] if len(returned) == 1 else None
    if only is None or (isinstance(only, ast.Constant) and only.value is None):
        return ""
    return _short(ast.unparse(only))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_EXPRESSION and "\n" not in text else ""


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function in source order, without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            continue
        yield child
        yield from _own_nodes(child)
