"""One function starts git, and what comes from elsewhere can't become an option."""

from __future__ import annotations

import ast
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import repo_tune_pipeline
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.doctor import examine
from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion import git_version
from repo_tune_pipeline.ingestion.commands import SUBCOMMANDS, command_line, id_lines, ssh_command
from repo_tune_pipeline.ingestion.git import NO_REPOSITORY, git_process
from repo_tune_pipeline.ingestion.processes import Deadline
from repo_tune_pipeline.settings import Settings, configs_dir
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository

PACKAGE = Path(repo_tune_pipeline.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
ONE = "ingestion/git.py"
STARTS = re.compile(
    r"subprocess\.(?!DEVNULL|PIPE|STDOUT|\w*Error$|TimeoutExpired|CompletedProcess)\w+"
    r"|os\.(?:system|popen|fork\w*|exec\w+|spawn\w+|posix_spawnp?)"
    r"|pty\.\w+|asyncio\.create_subprocess\w+"
)
OTHER_GITS = {"git", "pygit2", "dulwich", "gitdb", "sh", "plumbum", "pexpect"}
GIT = re.compile(r"(?:^|[/\s;&|`(])git(?:\.exe)?(?:$|\s)")


def _starts(tree: ast.AST) -> Iterator[str]:
    """The dotted names in a module by which a process can be started."""
    types = {
        id(inner)
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
        for inner in ast.walk(annotation)
    }
    for node in ast.walk(tree):
        if id(node) in types or not isinstance(node, ast.Attribute):
            continue
        name = f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else ""
        if STARTS.fullmatch(name):
            yield name


def _texts(tree: ast.AST) -> Iterator[str]:
    """The strings of a module, docstrings aside."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name under which it, or something of it, is known)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, one.asname or one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", one.asname or one.name) for one in node.names)


def test_in_the_whole_package_one_function_starts_git() -> None:
    planted = ast.parse('import subprocess\n"""git"""\nsubprocess.run(["/usr/bin/git", "log"])')
    assert list(_starts(planted)) == ["subprocess.run"]
    assert [text for text in _texts(planted) if GIT.search(text)] == ["/usr/bin/git"]
    starters: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for module, known_as in _imports(tree):
            top = module.partition(".")[0]
            assert top not in OTHER_GITS, name
            assert top not in ("subprocess", "pty") or known_as == module, name
            assert module != "os" or not STARTS.fullmatch(f"os.{known_as}"), name
        if found := list(_starts(tree)):
            starters[name] = found
            assert name == ONE or not [text for text in _texts(tree) if GIT.search(text)], name
    assert starters[ONE] == ["subprocess.Popen"]
    [function] = [
        node.name
        for node in ast.walk(ast.parse(MODULES[ONE].read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and list(_starts(node))
    ]
    assert function == "git_process"


def test_git_is_asked_for_commands_that_stand_in_the_code() -> None:
    asked = set[str]()
    for name, path in MODULES.items():
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id in ("run_git", "git_process"):
                if isinstance(call.args[0], ast.Constant):
                    asked.add(str(call.args[0].value))
                else:
                    assert name == ONE
    assert asked == SUBCOMMANDS


commands = st.sampled_from(sorted(SUBCOMMANDS))


@given(command=commands, text=st.text().map(lambda text: f"-{text}"))
def test_a_text_from_elsewhere_that_begins_with_a_dash_is_refused(command: str, text: str) -> None:
    for foreign in ([text], ["https://host.test/a/b", text]):
        with pytest.raises(SourceError, match="looks like an option") as caught:
            command_line(command, ["--quiet"], foreign)
        assert str(caught.value).isprintable()


@given(
    command=commands, foreign=st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1)
)
def test_a_text_from_elsewhere_stands_behind_the_end_of_the_options(
    command: str, foreign: list[str]
) -> None:
    plain = [text.lstrip("-") for text in foreign]
    line = command_line(command, ["--quiet", "--depth=3"], plain)
    assert line[:3] == [command, "--quiet", "--depth=3"]
    assert line[3] in ("--", "--end-of-options")
    assert line[4:] == plain


@given(
    text=st.text()
    | st.sampled_from(["--upload-pack=x", "--output=x", "--exec=x", "-c", "--template=/x", "-U4"])
    | st.from_regex(r"--depth=[0-9]*[^0-9]\n?", fullmatch=True)
)
def test_an_option_that_is_not_listed_is_refused(text: str) -> None:
    for options in ([text], ["-r", text]):
        try:
            line = command_line("ls-tree", options, [])
        except ValueError:
            continue
        assert line[-1] in ("--bare", "--quiet", "--template=", "-r", "-t", "-z", "-l", "-p")


@given(text=st.text() | st.from_regex(r"[0-9a-f]{40}[^0-9a-f]", fullmatch=True))
def test_only_whole_ids_are_fed_to_git_and_only_names_to_ssh(text: str) -> None:
    if not re.fullmatch("[0-9a-f]{40}", text):
        with pytest.raises(ValueError, match="only ids"):
            id_lines(["0" * 40, text])
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", text):
        for option in (text, f"-oHostName={text}"):
            with pytest.raises(ValueError, match="ssh may only"):
                ssh_command([option])


def test_nothing_starts_when_an_argument_is_refused(
    tmp_path: Path, around_git: Callable[[str], None]
) -> None:
    around_git(f"touch {tmp_path}/started")
    deadline = Deadline(20)
    refused = (
        lambda: git_process("daemon", git_dir=NO_REPOSITORY, deadline=deadline),
        lambda: git_process("fetch", ["--upload-pack=x"], git_dir=tmp_path, deadline=deadline),
        lambda: git_process("fetch", [], ["--upload-pack=x"], git_dir=tmp_path, deadline=deadline),
        lambda: git_process("cat-file", git_dir=tmp_path, deadline=deadline, ids=["HEAD"]),
    )
    for start in refused:
        with pytest.raises((ValueError, SourceError)), start():
            pass
    assert not (tmp_path / "started").exists()
    assert git_version().startswith("git version ")
    assert (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("echo git version 2.36.9", "is too old: git version 2.36.9"),
        ("echo git version 1.99", "is too old"),
        ("echo nonsense", "is too old: nonsense"),
        ("exit 3", "ended with code 3"),
    ],
)
def test_a_git_that_would_not_mind_the_checked_addresses_is_refused(
    says: str,
    why: str,
    repository: Repository,
    read: Ingest,
    around_git: Callable[[str], None],
    tmp_path: Path,
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    around_git(f'case "$*" in *" version"*) {says}; exit;; esac')
    with pytest.raises(SourceError, match=why):
        read(repository.folder)
    with pytest.raises(SourceError, match=why):
        git_version()
    git = next(examine(Home(tmp_path), Settings(), configs_dir()))
    assert (git.name, git.status) == ("git", "missing")
    assert re.search(why, git.text)


def test_a_machine_without_git_says_so(
    repository: Repository, read: Ingest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path / 'nothing'}")
    with pytest.raises(SourceError, match="wasn't found"):
        read(repository.folder)
    assert not (tmp_path / "started").exists()
