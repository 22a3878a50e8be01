"""Text is read without loss in each encoding that is kept; what hides in it is flagged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.ingestion.encodings import decode, flags_of
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.texts import write_files

ASCII = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1)
UNICODE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(UNICODE)
def test_unicode_text_is_decoded_without_loss(text: str) -> None:
    text = "x = 1\n" + text
    for codec, name in (("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16")):
        assert decode(text.encode(codec)) == (text, name)


@given(ASCII, st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_is_known_without_its_mark(text: str, codec: str) -> None:
    text = "const a = 1;\n" + text
    assert decode(text.encode(codec)) == (text, "utf-16")


@given(st.text("éäöüßñçàèù€“”–", min_size=1, max_size=10))
def test_windows_1252_is_known_by_few_foreign_bytes(letters: str) -> None:
    # One at a time: some pairs of foreign bytes are valid UTF-8.
    text = f"# {' '.join(letters)}!\n" + "name = 'value'\n" * 10
    assert decode(text.encode("cp1252")) == (text, "latin-1")


@given(st.binary(max_size=300))
def test_any_bytes_are_text_that_can_be_written_or_nothing(data: bytes) -> None:
    text, encoding = decode(data)
    assert (text is None) == (encoding == "")
    if text is not None:
        text.encode()
        assert set(flags_of(text, encoding)) <= {"bidi_controls", "zero_width", "utf-16", "latin-1"}


@pytest.mark.parametrize(
    "data", [b"\xed\xa0\x80" * 3, b"\xff\xfe\0\xd8", b"a\0b", b"\x81 = 1\n", bytes(range(256))]
)
def test_surrogates_nuls_and_undefined_bytes_are_no_text(data: bytes) -> None:
    assert decode(data)[0] is None


def test_lines_and_flags_survive_ingestion(read: Ingest, tmp_path: Path) -> None:
    odd = "a = 1\r\nb = '\u2028'\rc = 2\n"
    files: dict[str, str | bytes] = {
        "odd.py": odd,
        "mark.py": b"\xef\xbb\xbfx = 1\n",
        "bidi.py": "# \u202eevil\u2066\n",
        "hidden.py": "x = 'a\u200bb\U000e0041'\n",
        "wide.py": "x = 'é'\n".encode("utf-16"),
        "latin.py": b"x = 'caf\xe9'\n",
        "arabic.py": "x = 'سلام — “ok”'\n",
    }
    write_files(tmp_path, files)
    kept = {file.path: (file.text, file.flags) for file in read(tmp_path).files}
    assert kept == {
        "odd.py": (odd, ()),
        "mark.py": ("x = 1\n", ()),
        "bidi.py": ("# \u202eevil\u2066\n", ("bidi_controls",)),
        "hidden.py": ("x = 'a\u200bb\U000e0041'\n", ("zero_width",)),
        "wide.py": ("x = 'é'\n", ("utf-16",)),
        "latin.py": ("x = 'café'\n", ("latin-1",)),
        "arabic.py": ("x = 'سلام — “ok”'\n", ()),
    }
