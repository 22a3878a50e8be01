"""Who calls whom in one repository: only what the names leave no doubt about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from repo_tune_pipeline.records import CodeChunk

MOST_CALLERS = 4
MOST_TESTS = 6
_FAMILIES = {
    **dict.fromkeys(("JavaScript", "TypeScript", "TSX"), "js"),
    **dict.fromkeys(("C", "C++"), "c"),
    **dict.fromkeys(("Java", "Kotlin", "Scala"), "jvm"),
}
_CALLED_KINDS = frozenset({"function", "method", "type"})
_UNNAMED_KINDS = frozenset({"section", "module"})
_OWN = frozenset({"self", "this", "cls", "Self"})
_SEPARATOR = re.compile(r"::|[.#]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_DISTINCTIVE_METHOD = 10
_MOST_NAMES = 500_000
_DISTINCTIVE = 12
_ROOTS = frozenset({"src", "lib", "python"})
"""Characters of a name of two words from which it hardly is another library's, too."""


@dataclass(frozen=True, slots=True)
class Links:
    """What the rest of the repository has to do with one chunk.

    `callees` maps a name as it stands in the chunk's `callees` to its definition, if there is
    only one that it can mean. `callers` are at most four places that really call it, `tests` at
    most six tests that do. `namesakes` counts the definitions of its qualified name, itself
    included: in the repository, and in its file.
    """

    callees: dict[str, CodeChunk] = field(default_factory=dict[str, CodeChunk])
    callers: tuple[CodeChunk, ...] = ()
    tests: tuple[CodeChunk, ...] = ()
    namesakes: tuple[int, int] = (1, 1)


NO_LINKS = Links()


def link(chunks: Sequence[CodeChunk]) -> dict[str, Links]:
    """The links of each definition of one repository, by its `chunk_id`."""
    chunks = [chunk for chunk in chunks if chunk.kind not in _UNNAMED_KINDS]
    names = _Names(chunks)
    callees: dict[str, dict[str, CodeChunk]] = {}
    callers: dict[str, dict[str, CodeChunk]] = defaultdict(dict)
    for chunk in chunks:
        found: dict[str, CodeChunk] = {}
        known = names.known_to(chunk)
        for callee in chunk.callees:
            owner, last = _split(callee)
            candidates = known.get(last)
            if candidates is None:
                continue  # most names are other libraries'
            target = _meant(candidates, owner, last, chunk)
            if target is not None and not _is_same(target, chunk):
                found[callee] = target
                callers[target.chunk_id][chunk.chunk_id] = chunk
        callees[chunk.chunk_id] = found
    return {
        chunk.chunk_id: Links(
            callees=callees[chunk.chunk_id],
            callers=_callers(chunk, callers.get(chunk.chunk_id)),
            tests=_tests(chunk, callers.get(chunk.chunk_id)),
            namesakes=names.namesakes(chunk),
        )
        for chunk in chunks
    }


def qualified(chunk: CodeChunk) -> str:
    """The name by which other files know a definition: in ReScript a file is a module."""
    if chunk.language != "ReScript":
        return chunk.symbol
    return f"{_module_of(chunk.path, False)}.{chunk.symbol}"


class _Namesakes:
    """The definitions of one last name, all and by what a caller can tell of them.

    `free` are those that a name without an owner may mean anywhere.
    """

    __slots__ = ("all", "by_owner", "free", "owned")

    def __init__(self) -> None:
        self.all: list[CodeChunk] = []
        self.free: list[CodeChunk] = []
        self.by_owner: dict[str, list[CodeChunk]] = {}
        self.owned: dict[str, list[CodeChunk]] = {}

    def enter(self, chunk: CodeChunk, owner: str) -> None:
        self.all.append(chunk)
        if _is_free(chunk, owner):
            self.free.append(chunk)
        self.by_owner.setdefault(owner, []).append(chunk)
        # What isn't inside a type is called by its file's name, in Go by its folder's.
        self.owned.setdefault(
            (owner or _module_of(chunk.path, chunk.language == "Go")).lower(), []
        ).append(chunk)


class _Names:
    """The definitions of a repository by last name, for each family of languages."""

    def __init__(self, chunks: Sequence[CodeChunk]) -> None:
        self._last: dict[str, dict[str, _Namesakes]] = defaultdict(dict)
        self._places: dict[tuple[str, str], dict[str, int]] = {}
        for chunk in chunks:
            if chunk.part[0] == 1:
                places = self._places.setdefault((_family(chunk), qualified(chunk)), {})
                places[chunk.path] = places.get(chunk.path, 0) + 1
                if chunk.kind in _CALLED_KINDS:
                    owner, last = _split(chunk.symbol)
                    known = self._last[_family(chunk)]
                    (known.get(last) or known.setdefault(last, _Namesakes())).enter(chunk, owner)

    def namesakes(self, chunk: CodeChunk) -> tuple[int, int]:
        places = self._places.get((_family(chunk), qualified(chunk)))
        return (sum(places.values()), places.get(chunk.path, 0)) if places else (0, 0)

    def known_to(self, chunk: CodeChunk) -> Mapping[str, _Namesakes]:
        """The definitions that a chunk may mean, by last name."""
        return self._last.get(_family(chunk), {})


def _meant(candidates: _Namesakes, owner: str, last: str, caller: CodeChunk) -> CodeChunk | None:
    """Which of the definitions called `last` a call means, or None where it isn't certain."""
    inside, _ = _split(caller.symbol)
    if not owner:
        return _bare(candidates, caller, inside)
    if owner in _OWN:
        own = candidates.by_owner.get(inside, ())
        return _only([each for each in own if each.path == caller.path])
    owned = candidates.owned.get(owner.lower(), [])
    if caller.language == "Python":
        packages = (part for each in owned for part in PurePosixPath(each.path).parent.parts)
        if owner in (*caller.imports, *packages):
            # A module's name is not the class that is spelled like it.
            named = [each for each in candidates.all if _is_in_package(each, owner, caller)]
            return _only(named)
        tails = {name.rpartition(".")[2] for name in caller.imports}
        # A fixture or a variable may be spelled like a module that isn't imported.
        owned = [each for each in owned if _split(each.symbol)[0] or owner in tails]
    if owned:
        near = [each for each in owned if each.path == caller.path]
        return _only(near or [each for each in owned if _is_in_reach(each, owner, caller)])
    if caller.language == "Go":
        return _go_method(candidates.all, owner, caller)
    # A module that isn't the repository's may have a function of any name.
    foreign = owner[:1].isupper() or caller.language in ("ReScript", "Elixir")
    found = _only(candidates.all) if _distinctive(last) and not foreign else None
    return None if found is None or _is_also_anothers(found) else found


def _bare(candidates: _Namesakes, caller: CodeChunk, inside: str) -> CodeChunk | None:
    """A name without an owner means one of its own file, else the repository's only one."""
    beside = [each for each in candidates.by_owner.get(inside, ()) if not _is_free(each, inside)]
    free = [*candidates.free, *beside]
    near = [each for each in free if each.path == caller.path]
    found = _only(near or free)
    # Of a call on an expression only the last name is known: it is no name of its own.
    if found is not None and not _stands_alone(_split(found.symbol)[1], caller.source):
        return None
    if found is None or near or caller.language != "ReScript":
        return found
    # Another file's name is in reach without its module only where that was opened.
    module = PurePosixPath(found.path).stem.partition(".")[0]
    return found if module in caller.imports else None


def _is_free(chunk: CodeChunk, owner: str) -> bool:
    """Whether a name without an owner may mean it anywhere: no other type's member."""
    return chunk.kind == "type" or (not owner and chunk.kind != "method")


@lru_cache(maxsize=_MOST_NAMES)
def _module_of(path: str, is_go: bool) -> str:
    place = PurePosixPath(path)
    return place.parent.name if is_go else place.stem.partition(".")[0]


def _is_in_reach(target: CodeChunk, owner: str, caller: CodeChunk) -> bool:
    """Whether a variable `owner` may be of the type spelled like it.

    Of a type inside another, a `Builder` say, there are many: the outer one has to be named, too.
    """
    outer = _SEPARATOR.split(target.symbol)[:-2]
    return not outer or owner[:1].isupper() or any(name in caller.source for name in outer)


def _go_method(candidates: list[CodeChunk], owner: str, caller: CodeChunk) -> CodeChunk | None:
    """The only method of a name of its own, called on what isn't an imported package."""
    found = _only(candidates)
    package = owner in {name.rpartition("/")[2] for name in caller.imports}
    if found is None or found.kind != "method" or package or not owner[:1].islower():
        return None
    name = _split(found.symbol)[1]
    telling = len(_words(name)) > 1 and len(name) >= _DISTINCTIVE_METHOD
    return found if telling and not _is_also_anothers(found) else None


def _is_also_anothers(method: CodeChunk) -> bool:
    """Whether types elsewhere have the method, too: it overrides one, or calls its namesake."""
    name = _split(method.symbol)[1]
    named = (_split(callee) for callee in method.callees)
    calls = any(last == name and owner not in _OWN for owner, last in named)
    return calls or any(each.startswith("@Override") for each in method.attributes)


def _is_in_package(chunk: CodeChunk, package: str, caller: CodeChunk) -> bool:
    """Whether a definition is a module's own, in the package or the file of that name.

    A plain `import json` is not of a package's own module `json`, but of one where imports begin:
    at the top, in `src`, or beside the file that imports it.
    """
    path = PurePosixPath(chunk.path)
    places = (*path.parent.parts, path.stem)
    if _split(chunk.symbol)[0] or package not in places:
        return False
    before = places[: places.index(package)]
    beside = before == PurePosixPath(caller.path).parent.parts
    return package not in caller.imports or beside or not before or before[-1] in _ROOTS


def _stands_alone(name: str, source: str) -> bool:
    """Whether `name` is written anywhere as a whole word without a full stop before it."""
    start = source.find(name)
    while start >= 0:
        before, after = source[start - 1 : start], source[start + len(name) : start + len(name) + 1]
        whole = not (after.isalnum() or after == "_" or before.isalnum() or before in ("_", "$"))
        if whole and before != ".":
            return True
        start = source.find(name, start + 1)
    return False


def _only(candidates: list[CodeChunk]) -> CodeChunk | None:
    return candidates[0] if len(candidates) == 1 else None


def _is_same(one: CodeChunk, other: CodeChunk) -> bool:
    return one.symbol == other.symbol and one.path == other.path


def _callers(chunk: CodeChunk, found: dict[str, CodeChunk] | None) -> tuple[CodeChunk, ...]:
    """Real code of other files first; a type that holds its method isn't a use of it."""
    if not found:
        return ()
    usable = [each for each in found.values() if each.kind in ("function", "method")]
    usable.sort(key=lambda each: (each.path == chunk.path, len(each.source) > 1_500, *_place(each)))
    return tuple(usable[:MOST_CALLERS])


def _tests(chunk: CodeChunk, found: dict[str, CodeChunk] | None) -> tuple[CodeChunk, ...]:
    if not found or chunk.kind == "test":
        return ()
    wanted = "".join(_words(_split(chunk.symbol)[1]))
    tests = [each for each in found.values() if each.kind == "test" and each.part[1] == 1]
    named = {each.chunk_id: wanted in "".join(_words(each.symbol)) for each in tests}
    tests.sort(key=lambda each: (not named[each.chunk_id], len(each.source), *_place(each)))
    return tuple(tests[:MOST_TESTS])


def _place(chunk: CodeChunk) -> tuple[str, int, str]:
    return chunk.path, chunk.start_line, chunk.chunk_id


def _family(chunk: CodeChunk) -> str:
    return _FAMILIES.get(chunk.language, chunk.language)


@lru_cache(maxsize=_MOST_NAMES)
def _split(symbol: str) -> tuple[str, str]:
    """The last owner and the last name: ("Queue", "push") of `jobs.Queue.push`."""
    names = _SEPARATOR.split(symbol)
    return (names[-2].strip() if len(names) > 1 else ""), names[-1].strip()


@lru_cache(maxsize=_MOST_NAMES)
def _distinctive(name: str) -> bool:
    words = _words(name)
    return len(words) > 2 or (len(words) == 2 and len(name) >= _DISTINCTIVE)


@lru_cache(maxsize=_MOST_NAMES)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _PART.findall(name))
