"""The fields of a record and the cases of a variant, read from a type's text by its layout."""

from __future__ import annotations

import re

from repo_tune_pipeline.records import CodeChunk

_FIELDS = {
    "ReScript": re.compile(r"(?:@\S+\s+)?(?:mutable\s+)?([a-z_]\w*)\??\s*:"),
    "TypeScript": re.compile(r"(?:readonly\s+)?([A-Za-z_$][\w$]*)\??\s*:"),
    "Rust": re.compile(r"(?:pub(?:\([^)]*\))?\s+)?([a-z_]\w*)\s*:"),
    "Go": re.compile(r"([A-Za-z_]\w*)\s+[\w*\[\].]"),
}
_FIELDS["TSX"] = _FIELDS["TypeScript"]
_CASES = {
    "ReScript": re.compile(r"\|?\s*(?:@\S+\s+)?([A-Z]\w*)\s*(?:\(.*\)|\(|\{|$)"),
    "Rust": re.compile(r"([A-Z]\w*)\s*(?:\(.*\)|\{.*\}|=.*)?,?\s*$"),
}
_RECORDS = {
    "ReScript": re.compile(r"\btype\b[^{|]*=\s*\{"),
    "TypeScript": re.compile(r"\binterface\b[^{]*\{|\btype\b[^{|]*=\s*\{"),
    "Rust": re.compile(r"\bstruct\b[^{;(]*\{"),
    "Go": re.compile(r"\bstruct\s*\{"),
}
_RECORDS["TSX"] = _RECORDS["TypeScript"]
_VARIANTS = {
    "ReScript": re.compile(r"\btype\b[^{|=]*=\s*(?:\||[A-Z]\w*\s*(?:\||\())"),
    "Rust": re.compile(r"\benum\b[^{]*\{"),
}
_TAG = re.compile(r"\s*`[^`]*`\s*$")
_SKIPPED = ("//", "/*", "*", "@", "#", ")", "}", "]")


def fields_of(chunk: CodeChunk, code: str) -> tuple[str, ...]:
    """The names of a record's fields; empty unless every inner line is one."""
    return _read(chunk.language, code, _RECORDS, _FIELDS)


def cases_of(chunk: CodeChunk, code: str) -> tuple[str, ...]:
    """The names of a variant's cases; empty unless every inner line is one."""
    return _read(chunk.language, code, _VARIANTS, _CASES)


def field_lines(chunk: CodeChunk, code: str) -> tuple[str, ...]:
    """A record's fields as written; one over several lines is its name alone."""
    return tuple(map(_line, _rows(chunk.language, code, _RECORDS, _FIELDS).items()))


def case_lines(chunk: CodeChunk, code: str) -> tuple[str, ...]:
    """A variant's cases as written; one over several lines is its name alone."""
    return tuple(map(_line, _rows(chunk.language, code, _VARIANTS, _CASES).items()))


def _line(member: tuple[str, str]) -> str:
    name, text = member
    text = (
        " ".join(_TAG.sub("", text).split(" //")[0].split()).rstrip(",;").removeprefix("|").strip()
    )
    whole = all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))
    return text if whole and "`" not in text and not text.endswith((":", "=>", "=")) else name


def _read(
    language: str, code: str, kinds: dict[str, re.Pattern[str]], names: dict[str, re.Pattern[str]]
) -> tuple[str, ...]:
    return tuple(_rows(language, code, kinds, names))


def _rows(
    language: str, code: str, kinds: dict[str, re.Pattern[str]], names: dict[str, re.Pattern[str]]
) -> dict[str, str]:
    """By name: the first line of each member."""
    kind, name = kinds.get(language), names.get(language)
    found = kind.search(code) if kind and name else None
    if found is None or name is None:
        return {}
    inner = [line for line in code.split("\n")[1:] if line.strip()]
    indents = [len(line) - len(line.lstrip(" \t")) for line in inner[:-1]] or [0]
    least = min(indents)
    read: dict[str, str] = {}
    for line in inner:
        text = line.lstrip(" \t")
        if len(line) - len(text) != least or text.startswith(_SKIPPED):
            continue
        one = name.match(text)
        if one is None:
            return {}
        read.setdefault(one[1], text)
    return read
