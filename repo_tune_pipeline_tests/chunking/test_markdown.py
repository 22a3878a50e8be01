from repo_tune_pipeline_tests.chunking.helpers import cut, cut_one, documentation, reasons

README = """---
title: not a heading
---
Before any heading.

# Shop #

Sells é.
```python
# not a heading
```
    # code

Getting it
running
-------

- one
---

~~~
## not one either
```
~~~

### On Linux
#nothash
<!--
# hidden
-->
text

## Empty

# Shop again
last"""


def test_sections_have_the_path_of_their_headings() -> None:
    chunks = cut_one("README.md", README)
    assert [(chunk.symbol, chunk.start_line, chunk.end_line) for chunk in chunks.values()] == [
        ("Shop", 6, 12),
        ("Shop > Getting it running", 14, 24),
        ("Shop > Getting it running > On Linux", 26, 31),
        ("Shop again", 35, 36),
    ]
    assert {chunk.kind for chunk in chunks.values()} == {"section"}
    assert reasons(cut({"README.md": README})) == {"Shop > Empty": "empty_section"}


def test_a_section_is_documented_by_its_prose() -> None:
    chunks = cut_one("README.md", README.replace("\n", "\r\n"))
    shop = chunks["Shop"]
    assert shop.signature == "# Shop"
    assert shop.docstring == "Sells é.\n```python\n# not a heading\n```\n    # code"
    assert documentation(shop).strip().startswith("Sells é.")
    assert shop.source.startswith("# Shop #\r\n")


def test_a_document_without_headings_is_counted() -> None:
    assert cut({"a.md": "text\n"}).funnel.dropped == {"no_definitions": 1}
