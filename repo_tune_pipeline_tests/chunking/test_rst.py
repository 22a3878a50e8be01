from repo_tune_pipeline_tests.chunking.helpers import cut, cut_one, documentation, reasons

MANUAL = """\
Before any title.

.. _shop:

==========
 The Shop
==========
Sells é::

    No title
    ========

.. note::
   Neither
   -------

Getting it
----------
Run
~~~
pip install shop

=====  =====
A      B
=====  =====
1      2
=====  =====

- one
---
Text that goes
on over lines
-------------

1. Options
~~~~~~~~~~~~

====

Short adornment
----

.. _api:
.. _api reference:

API
---

Größe
'''''
text

========
Appendix
========
>>> shop.open()
========
last"""


def test_sections_have_the_path_of_their_titles() -> None:
    chunked = cut({"manual.rst": MANUAL})
    assert [(chunk.symbol, chunk.start_line, chunk.end_line) for chunk in chunked.chunks] == [
        ("The Shop", 3, 15),
        ("The Shop > Getting it > Run", 19, 33),
        ("The Shop > Getting it > 1. Options", 35, 38),
        ("The Shop > API > Größe", 49, 51),
        ("Appendix", 53, 58),
    ]
    assert {chunk.kind for chunk in chunked.chunks} == {"section"}
    assert reasons(chunked) == {
        "The Shop > Getting it": "empty_section",
        "The Shop > Short adornment": "empty_section",
        "The Shop > API": "empty_section",
    }


def test_a_section_is_documented_by_its_text() -> None:
    shop = cut_one("manual.rst", MANUAL.replace("\n", "\r\n"))["The Shop"]
    assert shop.signature == "The Shop"
    assert shop.docstring.startswith("Sells é::\n\n    No title\n    ========\n\n.. note::")
    assert documentation(shop).startswith("Sells é::\r\n")
    assert shop.source.startswith(".. _shop:\r\n\r\n==========\r\n The Shop\r\n")


def test_punctuation_alone_makes_no_section() -> None:
    for text in ("====\n", "====\n====\n====\n", "--\n\n::\n", "a\n::\n", "", "=\n=", "===\n\n==="):
        assert cut({"a.rst": text}).funnel.dropped == {"no_definitions": 1}
