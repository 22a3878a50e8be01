"""What stands on a shelf is there or not, whole, and a damaged file costs only time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.shelf import Shelf

ITEMS = st.dictionaries(st.binary(max_size=20), st.binary(max_size=50), max_size=20)


STEPS = st.lists(
    st.tuples(ITEMS, st.none() | st.sets(st.binary(max_size=20), max_size=20)), max_size=6
)


@settings(max_examples=40)  # each step waits for the disk
@given(STEPS)
def test_a_shelf_behaves_as_a_dict_that_forgets_what_is_not_kept(
    steps: list[tuple[dict[bytes, bytes], set[bytes] | None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        expected: dict[bytes, bytes] = {}
        for values, keep in steps:
            if keep is not None:
                expected = {key: value for key, value in expected.items() if key in keep}
            expected |= values
            Shelf(Path(folder) / "s.db").put(values, keep=keep)
        shelf = Shelf(Path(folder) / "s.db")
        assert shelf.keys() == set(expected)
        assert shelf.get([*expected, b"a key that is too long to be there"]) == expected


def test_more_keys_than_fit_one_question(tmp_path: Path) -> None:
    values = {str(number).encode(): b"v%d" % number for number in range(2_345)}
    shelf = Shelf(tmp_path / "s.db")
    shelf.put(values)
    assert shelf.get(values) == values


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    shelf.put({b"a": b"1"})
    shelf.file.write_bytes(b"no database at all" * 100)
    assert shelf.get([b"a"]) == {}
    shelf.put({b"b": b"2"})
    assert shelf.get([b"a", b"b"]) == {b"b": b"2"}


def test_damage_in_the_middle_is_said_once_and_then_gone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    values = {b"%d" % number: b"x" * 500 for number in range(500)}
    shelf.put(values)
    whole = shelf.file.read_bytes()
    shelf.file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageError, match="damaged"):
        shelf.get(values)
    assert shelf.get(values) == {}
