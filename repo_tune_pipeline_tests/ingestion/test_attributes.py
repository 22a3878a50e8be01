"""`.gitattributes` is understood as git understands it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.ingestion.attributes import Attributes, Said
from repo_tune_pipeline.ingestion.patterns import Pattern
from repo_tune_pipeline_tests.ingestion.repositories import ENVIRONMENT

NAMES = ("a", "b", "aa", "ab", "a.py", "b.js", "a-b", ".a", "[a]", "a*", "c d")
PIECES = ("a", "b", "*", "?", "[ab]", "[!a]", "[a-c]", "[b-a]", "[[:alpha:]]", "[]a]", "\\*", ".")
NAME = st.sampled_from(NAMES)
PATHS = st.lists(st.lists(NAME, min_size=1, max_size=4).map("/".join), min_size=1, max_size=20)
PART = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
PATTERN = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "/"]),
        st.lists(
            PART.filter(lambda part: "**" not in part) | st.just("**"), min_size=1, max_size=4
        ).map("/".join),
        st.sampled_from(["", "", "/"]),
    ),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PATTERN, min_size=1, max_size=20), PATHS)
def test_patterns_name_the_paths_that_git_says(
    tmp_path: Path, patterns: list[str], paths: list[str]
) -> None:
    lines = "".join(f"{pattern} m{number}\n" for number, pattern in enumerate(patterns))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, env=ENVIRONMENT, check=True)
    (tmp_path / ".gitattributes").write_text(lines)
    asked = subprocess.run(
        ["git", "check-attr", "-z", "--stdin", "-a"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        input="\0".join(paths) + "\0",
        capture_output=True,
        text=True,
        check=True,
    )
    words = asked.stdout.split("\0")
    said = set(zip(words[::3], words[1::3], strict=False))
    for number, text in enumerate(patterns):
        pattern = Pattern.parse(text)
        for path in paths:
            found = pattern is not None and pattern.matches(path)
            assert found == ((path, f"m{number}") in said), (text, path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("src/a.inc", Said(language="PHP")),
        ("src/own/a.inc", Said(language="C++")),
        ("gen/a.py", Said(generated=True)),
        ("gen/hand/a.py", Said(generated=False)),
        ("a b.py", Said(vendored=True)),
        ("x.dat", Said(binary=True)),
        ("y.dat", Said()),
        ("docs/a.md", Said()),
        ("[x].py", Said()),
        ("1.py", Said(generated=True)),
    ],
)
def test_the_nearest_folders_last_line_decides(path: str, said: Said) -> None:
    attributes = Attributes(
        {
            ".gitattributes": b"""# a comment
*.inc linguist-language=PHP
gen/** linguist-generated=true\r
"a b.py"\tlinguist-vendored
*.dat binary
y.dat !diff
docs/** linguist-documentation
[attr]mine linguist-generated
[x].py mine
[0-9].py linguist-generated
""",
            "src/own/.gitattributes": b"*.inc linguist-language=cpp\n",
            "gen/hand/.gitattributes": b"a.py linguist-vendored linguist-generated\n"
            b"*.py -linguist-generated !linguist-vendored\n",
        }
    )
    assert attributes.of(path) == said


@given(st.binary(max_size=200), st.text(max_size=30))
def test_no_rules_break_the_reader(rules: bytes, path: str) -> None:
    attributes = Attributes({".gitattributes": rules, "a/.gitattributes": rules})
    assert isinstance(attributes.of(f"a/{path}"), Said)
    Attributes({".gitattributes": path.encode("utf-8", "replace") + b" binary"}).of("a/b")


def test_a_hostile_pattern_costs_no_time() -> None:
    rules = b"*a*a*a*a*a*a*a*a*a*a*b binary\n" + b"/**/a/**/a/**/a/**/a/**/b binary\n"
    attributes = Attributes({".gitattributes": rules * 1000})
    assert attributes.of("/".join(["a" * 200] * 20)) == Said()
