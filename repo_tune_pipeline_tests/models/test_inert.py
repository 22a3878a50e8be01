"""Whatever a model writes, showing it as Markdown fetches nothing and leads nowhere."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from repo_tune_pipeline.models.inert import inert

PIECES = st.sampled_from(
    [
        "![x](https://evil.example/?q=1)", "[here](http://evil.example)", "[a][b]", "[b]: //e/x",
        "\n[b]: <https://evil.example> 'title'\n", "<https://evil.example>", "<img src=x>", "`",
        "``", "```\n", "~~~\n", "```py\n", "\n", "\n\n", "    ", "> ", "- ", "1. ", "text", "](",
        "[", "]", "(", ")", "\\", "&#104;ttps://evil.example", "[y](&#104;ttp://e)", "[z](http\\://e/)",
        "[n](\n  <http://e>\n)", "![", "www.evil.example", "mailto:a@b.example", "<a href='//e'>",
        "<!-- -->", "[b]", "]:", ": //e", "a@b.example", "[w](www.evil.example)",
    ]
)  # fmt: skip
ACTIVE = re.compile(
    r"""<(?:a|img|script|iframe)\b[^>]*(?:href|src)=["'](?:[a-z0-9+.-]+:|/|www)""", re.IGNORECASE
)


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).render(text)


@given(st.lists(PIECES, max_size=12).map("".join))
@example("`![x](https://evil.example)\n\n`")
@example("[b]\n\n> [b]: https://evil.example")
def test_nothing_in_an_answer_is_a_link_or_an_image(text):
    assert not ACTIVE.search(rendered(inert(text))), inert(text)


@pytest.mark.parametrize(
    "text",
    [
        "It calls `handlers[name](request)` and `<img>`.",
        "```js\nconst a = <img src='x'/>; // https://example.org\n```\nDone.",
        "return handlers[name](request)",
        "if a < b and c > d: x[0]: int = [1]",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_text_and_code_stay_as_they_are(text):
    assert inert(text) == text


def test_an_address_can_still_be_read():
    assert inert("See https://example.org/a.") == "See `https://example.org/a.`"
    assert "<p>[here](" in rendered(inert("[here](https://example.org/)"))
