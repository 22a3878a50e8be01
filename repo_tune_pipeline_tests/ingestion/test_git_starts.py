"""One function starts git, and what comes from elsewhere can't become an option."""

from __future__ import annotations

import ast
from pathlib import Path

import repo_tune_pipeline
from repo_tune_pipeline.ingestion import git

PACKAGE = Path(repo_tune_pipeline.__file__).parent
STARTS = {"run", "Popen", "call", "check_call", "check_output", "system", "execvp", "spawnv"}


def _calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_in_ingestion_only_one_function_starts_a_process() -> None:
    starts = [
        (path.name, call.func.attr)
        for path in sorted((PACKAGE / "ingestion").rglob("*.py"))
        for call in _calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in STARTS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("subprocess", "os")
    ]
    assert starts == [("git.py", "Popen")]


def test_git_is_asked_for_a_fixed_command_with_options_of_ours() -> None:
    """Options are literals, but for a number and what `--end-of-options` protects."""
    asked = set[str]()
    for path in sorted((PACKAGE / "ingestion").rglob("*.py")):
        for call in _calls(path):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in ("run_git", "git_process") and isinstance(call.args[0], ast.Constant):
                asked.add(str(call.args[0].value))
            else:
                assert name not in ("run_git", "git_process") or path.name == "git.py"
    assert asked == git.SUBCOMMANDS
