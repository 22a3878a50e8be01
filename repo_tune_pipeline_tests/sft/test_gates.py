from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from repo_tune_pipeline.records import CodeChunk, Rejection
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft import build_dataset, load_packs, save_dataset
from repo_tune_pipeline_tests.sft.making import library, python_chunks, section

PACKS = load_packs(Path(__file__).parents[2] / "configs" / "domains", ["general"])
SETTINGS = SftSettings(min_heldout_examples=1)
# Put together here, so that no file of this repository holds one.
RANDOM = "".join(["9fK2", "xQ7r", "Lm3Z", "pT8w", "Vb5N", "cY1d"])
SECRETS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n",
    "aws": "AKIA" + "IOSFODNN7QWERTYU",
    "github": "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "gitlab": "glpat" + "-" + RANDOM,
    "slack": "xoxb" + "-123456789012-" + RANDOM,
    "stripe": "sk" + "_live_" + RANDOM,
    "google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0In0." + RANDOM,
    "url": "postgres://admin:" + RANDOM + "@db.internal/main",
    "password": 'password = "' + RANDOM + '"',
    "env": "API_KEY=" + RANDOM,
    "typed": "const apiKey: string = '" + RANDOM + "'",
}
HARMLESS = [
    'password = os.environ["DATABASE_PASSWORD"]',
    'token = "your_token_goes_here_1234"',
    "secret: get_secret_value('main')",
    'key = "configuration.default.value"',
    "git clone https://github.com/acme/tools.git",
    "def token_for_user_2(self, access_token=refresh_access_token_2): ...",
    'password: "${DB_PASSWORD_2}"',
]


def outcome(
    chunks: list[CodeChunk], settings: SftSettings = SETTINGS
) -> tuple[Counter[tuple[str, str]], list[Rejection]]:
    """(task, reason) counts and the rejections themselves, beside a library that is kept."""
    dataset = build_dataset(
        [*chunks, *library(40, "filler/filler")], settings=settings, packs=PACKS
    )
    funnel = dataset.funnel
    assert funnel.seen == funnel.kept + sum(funnel.dropped.values())
    assert funnel.kept == len(dataset.train) + len(dataset.heldout)
    assert Counter(rejection.reason for rejection in dataset.rejections) == funnel.dropped
    own = [rejection for rejection in dataset.rejections if rejection.repo != "filler/filler"]
    return Counter((rejection.task, rejection.reason) for rejection in own), own


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_a_chunk_with_a_secret_reaches_no_file(kind: str, tmp_path: Path) -> None:
    secret = SECRETS[kind]
    body = "\n    ".join(f"# {line}" for line in secret.split("\n"))
    code = python_chunks(f"def connect(db):\n    {body}\n    return db.connect(timeout=30)\n")
    text = section(f"Use {secret.split()[-1]}", f"Set it to this:\n\n{secret}\n")
    dataset = build_dataset([*code, text, *library()], settings=SETTINGS, packs=PACKS)
    folder = save_dataset(dataset, tmp_path, settings=SETTINGS)
    assert dataset.funnel.dropped["secret"] == 5
    for file in folder.iterdir():
        assert RANDOM not in file.read_text()
        assert secret.strip().split("\n")[-1] not in file.read_text()


@pytest.mark.parametrize("text", HARMLESS)
def test_talk_of_secrets_is_no_secret(text: str) -> None:
    assert not holds_secret(text)


def test_a_secret_in_a_heading_that_an_earlier_stage_dropped_is_blanked() -> None:
    upstream = [Rejection("chunking", "too_short", "acme/tools", "README.md", 1, 1, SECRETS["aws"])]
    dataset = build_dataset(library(), settings=SETTINGS, packs=PACKS, upstream=upstream)
    assert dataset.rejections[0] == replace(upstream[0], symbol="")


def test_of_copies_the_first_place_stays_whatever_the_order_and_repository() -> None:
    text = "def connect(db):\n    handle = open_handle(db)\n    return handle.session()\n"
    spaced = text.replace("(db)\n", "(db)\n\n").replace("return ", "return  ")
    copies = [
        *python_chunks(spaced, repo="zeta/tools"),
        *python_chunks(text, repo="acme/tools", path="b.py"),
        *python_chunks(text, repo="acme/tools", path="a.py"),
    ]
    counts, rejections = outcome(copies)
    assert counts[("code_completion", "duplicate")] == 2
    dropped = {(one.repo, one.path) for one in rejections if one.reason == "duplicate"}
    assert dropped == {("zeta/tools", "pkg/mod.py"), ("acme/tools", "b.py")}


def test_copies_that_differ_in_their_docs_alone_are_copies() -> None:
    text = 'def area(r):\n    """{} of a round thing."""\n    return math.pi * r * r\n'
    copies = [
        *python_chunks(text.format("The surface"), path="a.py"),
        *python_chunks(text.format("How large it is"), path="b.py"),
    ]
    assert outcome(copies)[0][("documentation", "duplicate")] == 1


@pytest.mark.parametrize(
    ("text", "task", "reason"),
    [
        (
            'def f(x):\n    """Getter for x."""\n    return g(x)\n',
            "documentation",
            "boilerplate_docstring",
        ),
        (
            'def f(x):\n    """Run it."""\n    return g(x)\n',
            "documentation",
            "boilerplate_docstring",
        ),
        (
            'def get_user_name(x):\n    """Gets the user name."""\n    return g(x)\n',
            "documentation",
            "boilerplate_docstring",
        ),
        ("def f(x):\n    return g(x)\n", "documentation", "no_docstring"),
        ("def f(x):\n    return g(x)\n", "domain", "no_docstring"),
        ('class F(E):\n    """Raised on bad weather."""\n', "documentation", "docstring_only"),
        ('class F(E):\n    """Raised on bad weather."""\n', "code_explanation", "docstring_only"),
        ("def f(x): return g(x) + 1\n", "code_completion", "no_cut_point"),
        ("def f(x):\n    return x\n", "code_explanation", "nothing_to_say"),
        ('def f(x):\n    """Twist the knob thrice."""\n    return g(x)\n', "domain", "no_topic"),
        ("def f(x):\n    if x:\n        return x1\n", "code_explanation", "nothing_to_say"),
        ("def f(x):\n    g = 1\n    yield abcd\n", "code_completion", "too_short"),
        (f"def f(x):\n    return g({'x' * 3000})\n", "code_completion", "too_long"),
    ],
)
def test_each_reason_is_counted(text: str, task: str, reason: str) -> None:
    assert outcome(python_chunks(text))[0][(task, reason)] == 1


def test_text_that_is_not_python_is_not_explained_but_counted() -> None:
    (chunk,) = python_chunks("def f(x):\n    return g(x)\n")
    counts, _ = outcome([replace(chunk, source="def f(x):\n    print g(x)\n    return x")])
    assert counts[("code_explanation", "unparseable")] == 1


def test_a_section_without_text_is_an_empty_output() -> None:
    counts, _ = outcome([section("Install", ""), section("Usage", "As usual.")])
    assert counts == {("domain", "empty_output"): 1, ("domain", "too_short"): 1}


def test_the_same_question_with_the_same_answer_is_kept_once() -> None:
    first = section("Install", "Run the installer, then restart.")
    twin = replace(first, source=first.source.replace("## Install", "### Install"), start_line=9)
    assert outcome([first, twin])[0] == {("domain", "duplicate_example"): 1}
