"""Notebooks are cut in their percent form."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.chunking.notebook import script_of
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline_tests.chunking.helpers import (
    assert_exact,
    cut,
    cut_lines,
    cut_one,
    outline_rows,
)


def notebook(*cells: tuple[str, str | list[str]], language: str = "python") -> str:
    """The JSON of a notebook, with an output below each cell."""
    listed = [
        {"cell_type": kind, "source": source, "metadata": {}, "outputs": [{"text": "printed"}]}
        for kind, source in cells
    ]
    metadata = {"language_info": {"name": language}}
    return json.dumps({"cells": listed, "metadata": metadata, "nbformat": 4}, ensure_ascii=True)


SALES = notebook(
    ("markdown", "# Sales\n\nWhat was *sold*, in €.\n\n```\n# no heading\n```"),
    ("markdown", ["- more\n", "- text"]),
    ("code", "%matplotlib inline\nimport pandas as pd\nfrom os import path\n\nLIMIT = 3"),
    ("markdown", "## Load\n"),
    (
        "code",
        [
            "!ls data\n",
            "@cached\n",
            "def load(name: str):\n",
            '    """Reads one sheet."""\n',
            "    %time sheet = 1\n",
            "    return pd.read_csv(path.join('data', name))\n",
            "\n",
            "load('x')",
        ],
    ),
    ("code", "%%bash\nls\necho 1\nexit"),
    ("code", ""),
    ("raw", "def no():\n    pass\n"),
    ("markdown", "## Plot\n\nAs bars.\n### Colours\nNone."),
    (
        "code",
        "%%time\nclass Plot:\n    def draw(self):\n        bars = 1\n        return show(bars)\n",
    ),
    ("code", "a = load('a')\nb = a % 2\nprint(b)\nload?"),
    ("code", "def broken(:\n    x\n    y"),
)


def test_the_percent_form() -> None:
    script = script_of(SALES)
    assert script.startswith("# %% [markdown]\n# # Sales\n#\n# What was *sold*, in €.\n")
    assert "\n# %%\n# %matplotlib inline\nimport pandas as pd\n" in script
    assert "\n    # %time sheet = 1\n" in script
    assert "\n# %%\n# %%bash\n# ls\n" in script
    assert "\n# %%\n# %%time\nclass Plot:\n" in script
    assert "\n# %% [raw]\n# def no():\n" in script
    assert "\nb = a % 2\nprint(b)\n# load?\n" in script
    assert "printed" not in script


def test_notebook_definitions_and_sections() -> None:
    chunked = cut({"sales.ipynb": SALES})
    for chunk in chunked.chunks:
        assert_exact(chunk, script_of(SALES))
    assert outline_rows(chunked) == [
        ("section", "Sales", 2, 12, "# Sales"),
        ("function", "load", 26, 30, "def load(name: str)"),
        ("section", "Sales > Plot", 45, 47, "## Plot"),
        ("section", "Sales > Plot > Colours", 48, 49, "### Colours"),
        ("type", "Plot", 53, 56, "class Plot"),
        ("method", "Plot.draw", 54, 56, "def draw(self)"),
    ]
    assert [(each.symbol, each.start_line, each.reason) for each in chunked.rejections] == [
        ("Sales > Load", 22, "empty_section"),
        ("", 59, "no_definitions"),
        ("broken", 65, "syntax_error"),
    ]


def test_notebook_documentation_calls_imports_and_cuts() -> None:
    chunks = cut_one("sales.ipynb", SALES)
    sales, load = chunks["Sales"], chunks["load"]
    assert sales.docstring.startswith("What was *sold*, in €.\n\n```\n# no heading\n```\n")
    assert sales.docstring.endswith("\n- more\n- text")
    assert load.docstring == "Reads one sheet."
    assert load.attributes == ("@cached",)
    assert load.callees == ("path.join", "pd.read_csv")
    assert load.imports == ("os.path", "pandas")
    assert cut_lines(load) == ["return pd.read_csv(path.join('data', name))"]
    header = chunks["sales"]
    assert (header.kind, header.source.split("\n")[1]) == ("module", "import pandas as pd")


def test_code_in_another_language_is_left_out() -> None:
    text = notebook(
        ("markdown", "# Sales\n\nIn R."), ("code", "f <- function(x) {\n  x\n}"), language="R"
    )
    chunked = cut({"a.ipynb": text})
    assert [chunk.symbol for chunk in chunked.chunks] == ["Sales"]
    assert chunked.funnel.dropped == {"language_not_supported": 1}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"cells": 1}', '{"worksheets": []}', "[" * 100_000, "9" * 9_999],
)
def test_what_is_no_notebook_is_refused(text: str) -> None:
    assert cut({"a.ipynb": text}).funnel.dropped == {"bad_notebook": 1}


def test_a_secret_behind_escapes_is_redacted() -> None:
    key = "AKIA" + "Z7QXW3RT5YPL2MNV"
    text = notebook(("code", f"import os\nKEY = '{key}'\nprint(KEY)"))
    script = script_of(text.replace("AKIA", "\\u0041KIA"))
    assert key not in script
    assert not holds_secret(script)


SOURCES = st.lists(
    st.sampled_from(
        ["# h\n", "def f():\n", "  return 1\n", "%x\n", "!y\n", "\r\n", "\r", "'''", "# %%\n"]
    )
    | st.text(st.characters(), max_size=4)
).map("".join)
CELLS = st.tuples(st.sampled_from(["code", "markdown", "raw", "x\ny"]), SOURCES)


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, max_size=6))
def test_any_notebook_is_cut_exactly(cells: list[tuple[str, str]]) -> None:
    text = notebook(*cells)
    chunked = cut({"a.ipynb": text})
    assert chunked.funnel.seen == len(chunked.chunks) + len(chunked.rejections) > 0
    script = script_of(text)
    script.encode()
    for chunk in chunked.chunks:
        assert_exact(chunk, script)
