"""Parameters and return types read from a signature's text, for languages other than Python.

A reading that isn't certain gives nothing: an explanation then leaves that sentence out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPEN = {"(": ")", "[": "]", "{": "}", "<": ">"}
_CLOSE = frozenset(_OPEN.values())
_MAX_TYPE = 80
_AFTER_NAME = re.compile(r"\s*(?:=\s*(?:async\b\s*)?(?:function\b\s*\*?\s*[\w$]*\s*)?)?")
_IDENTIFIER = re.compile(r"^[A-Za-z_$][\w$]*$")
_JAVA_NOISE = re.compile(
    r"@\w+(?:\([^)]*\))?|\b(?:public|private|protected|static|final|abstract|synchronized|native"
    r"|default|strictfp|internal|virtual|override|sealed|async|extern|unsafe|partial|readonly)\b"
)
_EQUALS = re.compile(r"(?<![=<>!])=(?!=)")
_WHERE = re.compile(r"\bwhere\b")
_SWIFT_EFFECTS = re.compile(r"^(?:async\s+)?(?:re)?throws\s*|^async\s*")
_ATTRIBUTE = re.compile(r"^(?:(?:@\w+(?:\([^)]*\))?|\[[^\]]*\])\s+)+")
_PHP_NAME = re.compile(r"\$(\w+)")
_RESCRIPT_END = re.compile(r"[:=]|\bas\b|\s")
_PAIRS = ("()", "[]", "{}", "<>")
_LABEL = re.compile(r"~(\w+)(?:\s+as\s+\w+)?\s*(?=[:=]|$)")
_DEFAULT = re.compile(r"(?<![=<!])=(?![=>])")
_TYPE_FIRST = frozenset({"Java", "C", "C++", "C#"})
_NAME_FIRST = frozenset({"Kotlin", "Scala", "Swift", "Lua"})
_UNREAD = frozenset({"Haskell", "Shell", "SQL"})
_TS_MODIFIERS = re.compile(r"^(?:(?:public|private|protected|readonly|override)\s+)+")


def parameters(signature: str, symbol: str, language: str) -> tuple[str, ...]:
    """Names of the parameters, receivers (`self`, `this`) left out; empty when uncertain."""
    found = None if language in _UNREAD else _parameter_list(signature, symbol)
    # A second list right behind the first takes more than would be told.
    if found is None or (signature[found[1] + 1 :].lstrip()[:1] == "(" and language == "Scala"):
        return ()
    parts = [part.strip() for part in _split(signature[found[0] : found[1]]) if part.strip()]
    if language == "Go":
        return _go_names(parts)
    if parts in (["void"], ["()"], ["_"], ["unit"]):
        return ()
    names = [_name(part, language) for part in parts]
    kept = [name for name in names if name not in ("self", "this")]
    return tuple(kept) if all(kept) else ()


def return_type(signature: str, symbol: str, language: str) -> str:
    """The declared return type as written, or "" where there is none or it is uncertain."""
    found = _parameter_list(signature, symbol)
    if found is None:
        return ""
    if language in ("Java", "C#"):
        text = _java_type(signature[: signature.rfind(last_name(symbol), 0, found[0])])
    else:
        text = _type_after(signature[found[1] + 1 :], language)
    text = " ".join(text.split())
    balanced = all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
    return text if balanced and len(text) <= _MAX_TYPE else ""


def labelled(signature: str, symbol: str) -> tuple[tuple[str, str, str], ...]:
    """ReScript's labelled arguments: name, type and default; empty where one isn't read.

    A default of ``?`` is an optional argument's; type and default may be empty.
    """
    found = _parameter_list(signature, symbol)
    parts = _split(signature[found[0] : found[1]]) if found else []
    read = [_labelled(part.strip()) for part in parts if part.strip()]
    known = tuple(one for one in read if one)
    return known if len(known) == len(read) else ()


def _labelled(part: str) -> tuple[str, str, str] | None:
    named = _LABEL.match(part)
    if named is None or "`" in part:
        return None
    head, default = part, ""
    for equals in _DEFAULT.finditer(part):
        before = part[: equals.start()].replace("=>", "")
        if all(before.count(left) == before.count(right) for left, right in _PAIRS):
            before = part[: equals.start()]
            head, default = before, part[equals.end() :].strip()
            break
    typed = " ".join(head[named.end() :].strip().removeprefix(":").split())
    return named[1], typed, " ".join(default.split())


def last_name(symbol: str) -> str:
    """The unqualified name of a symbol, whichever way its language joins names."""
    return re.split(r"::|[.#]", symbol)[-1].strip()


def _type_after(tail: str, language: str) -> str:
    tail = tail.strip().removesuffix("=>").rstrip()
    if tail.endswith("{") and tail.count("{") > tail.count("}"):
        tail = tail[:-1].rstrip()
    tail = tail.rstrip(";").rstrip()
    if language == "Rust":
        return _WHERE.split(tail.removeprefix("->"))[0] if tail.startswith("->") else ""
    if language in ("TypeScript", "TSX"):
        return tail[1:] if tail.startswith(":") else ""
    if language in ("Kotlin", "Scala", "PHP"):
        return _EQUALS.split(tail[1:])[0] if tail.startswith(":") else ""
    if language == "Swift":
        after = _SWIFT_EFFECTS.sub("", tail)
        return _WHERE.split(after.removeprefix("->"))[0] if after.startswith("->") else ""
    if language == "ReScript":
        return tail[1:] if tail.startswith(":") else ""
    return tail if language == "Go" else ""


def _parameter_list(signature: str, symbol: str) -> tuple[int, int] | None:
    """Offsets of the text between the parentheses of the parameters."""
    name = last_name(symbol)
    for start in _occurrences(signature, name):
        after = _AFTER_NAME.match(signature, start + len(name))
        position = after.end() if after else start + len(name)
        if signature[position : position + 1] in ("<", "["):
            end = _balanced(signature, position)
            position = end + 1 if end is not None else position
        if signature[position : position + 1] == "(":
            end = _balanced(signature, position)
            return None if end is None else (position + 1, end)
    return None


def _occurrences(text: str, name: str) -> Iterator[int]:
    """Where `name` stands in `text` as a whole word."""
    start = text.find(name) if name else -1
    while start >= 0:
        around = text[max(start - 1, 0) : start] + text[start + len(name) : start + len(name) + 1]
        if not any(character.isalnum() or character in "_$" for character in around):
            yield start
        start = text.find(name, start + 1)


def _balanced(text: str, start: int) -> int | None:
    """Offset of the bracket that closes the one at `start`."""
    depth = 0
    for offset in range(start, len(text)):
        character = text[offset]
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE and text[offset - 1 : offset + 1] not in ("->", "=>"):
            depth -= 1
            if depth == 0:
                return offset
    return None


def _split(text: str) -> list[str]:
    parts, depth, begin = list[str](), 0, 0
    for offset, character in enumerate(text):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE and text[offset - 1 : offset + 1] not in ("->", "=>"):
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[begin:offset])
            begin = offset + 1
    return [*parts, text[begin:]]


def _name(part: str, language: str) -> str:
    part = _ATTRIBUTE.sub("", part)
    if language in _TYPE_FIRST:
        bare = _EQUALS.split(part)[0].rstrip("[] ")
        words = re.split(r"[\s*&]+", bare.strip())
        name = words[-1].removeprefix("...") if len(words) > 1 and "(" not in bare else ""
    elif language in _NAME_FIRST:
        name = part.split(":")[0].split("=")[0].split(" ")[-1 if language == "Swift" else 0]
        if language in ("Kotlin", "Scala", "Swift"):
            words = part.split(":")[0].split()
            name = words[-1] if words and ":" in part else ""
    elif language == "PHP":
        found = _PHP_NAME.search(part)
        name = found[1] if found else ""
    elif language == "ReScript":
        bare = _RESCRIPT_END.split(part.removeprefix("~"), maxsplit=1)[0].strip()
        name = bare.removeprefix("~")
    elif language == "Ruby":
        name = re.split(r"[:=\s]", part.lstrip("*&"), maxsplit=1)[0]
    elif language == "Elixir":
        name = part.split("\\\\")[0].strip()
    elif language == "Rust":
        bare = re.sub(r"^&(?:'\w+\s+)?", "", part.split(":")[0].strip())
        name = re.sub(r"^(?:mut|ref)\s+", "", bare).strip()
    else:
        bare = _TS_MODIFIERS.sub("", part).removeprefix("...")
        name = re.split(r"[?:=\s]", bare, maxsplit=1)[0]
    return name if _IDENTIFIER.match(name) else ""


def _go_names(parts: list[str]) -> tuple[str, ...]:
    """`a, b int` names each; a list without any name (`int, error`) names none."""
    if not any(" " in part for part in parts):
        return ()
    names = [part.split(" ")[0] for part in parts]
    return tuple(names) if all(_IDENTIFIER.match(name) for name in names) else ()


def _java_type(head: str) -> str:
    """The type in what stands before a method's name."""
    head = _JAVA_NOISE.sub(" ", head).strip()
    if head.startswith("<"):
        end = _balanced(head, 0)
        head = head[end + 1 :].strip() if end is not None else ""
    return "" if head == "void" else head
