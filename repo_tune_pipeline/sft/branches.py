"""What a function does first under which condition: early ends and the cases of a switch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_MOST = 2
_MAX_TEXT = 60
_MOST_ARMS = 6
_PARENTHESES = frozenset({"Java", "JavaScript", "TypeScript", "TSX", "C", "C++", "C#", "PHP"})
_BARE = frozenset({"Go", "Rust", "Swift"})
_IF = {True: re.compile(r"if \((.+)\) \{"), False: re.compile(r"if ([^;{}]+) \{")}
_END = re.compile(r"return\b\s*([^;]*);?|throw new ([A-Za-z_$][\w$.]*)\(.*\);?")
_SWITCH = re.compile(r"(?:let [\w(), ]+ = )?switch (.+) \{")
_ARM = re.compile(r"\| (.+?) =>")
_OPTION = re.compile(r"Some\b|None\b|Ok\b|Error\b|_$|true$|false$")
_COMMONPLACE = frozenset({"err != nil"})


def branches_of(language: str, code: str, tree: ast.AST | None) -> tuple[str, ...]:
    """Sentences, at most two, of the outermost branches whose texts are short."""
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        found = _python(tree)
    elif language == "ReScript":
        found = _switches(_body(code))
    elif language in _PARENTHESES or language in _BARE:
        found = _early_ends(_body(code), _IF[language in _PARENTHESES])
    else:
        return ()
    return tuple(dict.fromkeys(found))[:_MOST]


def _python(tree: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.If) and not node.orelse and len(node.body) == 1:
            test, end = _short(ast.unparse(node.test)), node.body[0]
            if isinstance(end, ast.Raise) and end.exc and test:
                raised = end.exc.func if isinstance(end.exc, ast.Call) else end.exc
                yield f"If `{test}`, it raises `{ast.unparse(raised)}`."
            elif isinstance(end, ast.Return) and test:
                value = _short(ast.unparse(end.value)) if end.value else "None"
                if value:
                    yield f"If `{test}`, it returns `{value}`."


def _body(code: str) -> list[str]:
    """The lines that stand directly in the outermost body, deeper ones with their indent left."""
    lines = [line for line in code.split("\n") if line.strip()]
    inner = [len(line) - len(line.lstrip()) for line in lines]
    first = next((row for row, line in enumerate(lines) if line.endswith("{")), len(lines))
    least = min((indent for indent in inner[first + 1 : -1]), default=0)
    return [line[least:] for line in lines[first + 1 : -1]] if least else []


def _early_ends(body: list[str], form: re.Pattern[str]) -> Iterator[str]:
    for line, end, closing in zip(body, body[1:], body[2:], strict=False):
        found, ended = form.fullmatch(line), _END.fullmatch(end.strip())
        if not found or not ended or closing != "}" or found[1] in _COMMONPLACE:
            continue
        test = _short(found[1])
        told = f"throws `{ended[2]}`" if ended[2] else f"returns `{_short(ended[1])}`"
        if not ended[2] and not ended[1]:
            told = "returns at once"
        if test and "``" not in told:
            yield f"If `{test}`, it {told}."


def _switches(body: list[str]) -> Iterator[str]:
    for row, line in enumerate(body):
        found = _SWITCH.fullmatch(line)
        if not found or not _short(found[1]):
            continue
        arms: list[str] = []
        for other in body[row + 1 :]:
            if other.startswith("}"):
                break
            if other.startswith("|"):
                arm = _ARM.match(other)
                arms.append(_short(arm[1]) if arm else "")
        if 2 <= len(arms) <= _MOST_ARMS and all(arms) and not all(map(_OPTION.match, arms)):
            named = ", ".join(f"`{arm}`" for arm in arms[:-1])
            yield f"It switches on `{found[1]}`, with the cases {named} and `{arms[-1]}`."


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT and "`" not in text and "\n" not in text else ""
