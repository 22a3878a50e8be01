"""Each file stands under one licence, and what `licenses.allow` lacks is dropped."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.ingestion.expressions import is_allowed
from repo_tune_pipeline.ingestion.fingerprints import packed, recognise, unpacked
from repo_tune_pipeline.ingestion.headers import license_of_header
from repo_tune_pipeline.ingestion.licenses import is_license_name, license_of_text
from repo_tune_pipeline.ingestion.manifests import license_of_manifest
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.texts import APACHE_NOTICE, ISC, MIT, write_files

CODE = "int a;\n"
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n\nEveryone is permitted to copy.\n"
NONE = "NOASSERTION"
REFUSED = "license_not_allowed"


Verdicts = dict[str, tuple[str, str]]


def _licenses(read: Ingest, folder: Path, name: str = "acme/shop", **settings: object) -> Verdicts:
    """Reason and licence of every C file; `settings` are those of licences."""
    licenses = {"trusted": ["local/*"]} | settings
    ledger = read(folder, name=name, licenses=licenses).ledger
    return {row.path: (row.reason, row.license) for row in ledger if row.path.endswith(".c")}


@pytest.mark.parametrize("name", ["acme/shop", "local/shop"])
def test_a_file_under_another_licence_than_its_repository_is_judged_by_its_own(
    read: Ingest, tmp_path: Path, name: str
) -> None:
    header = "/* This file is free software under the terms of the GNU General Public License,\n"
    write_files(
        tmp_path,
        {
            "LICENSE": MIT,
            "plain.c": CODE,
            "gpl.c": f"{header} * version 2. */\n{CODE}",
            "named.c": f"// Released under the GPL v3 or later.\n{CODE}",
            "or.c": f"// SPDX-License-Identifier: GPL-3.0-only OR mit\n{CODE}",
            "and.c": f"// SPDX-License-Identifier: GPL-3.0-only AND MIT\n{CODE}",
            "closed.c": f"/* Unauthorized copying of this file is strictly prohibited. */\n{CODE}",
            "told.c": f"{CODE}/* Released under the GPL v3, this comment says of something. */\n",
            "lib/COPYING.txt": GPL,
            "lib/deep/gpl.c": CODE,
            "isc/LICENSE": ISC,
            "isc/a.c": CODE,
            "package/package.json": json.dumps({"license": "GPL-3.0-or-later"}),
            "package/gpl.c": CODE,
            "license.c": CODE,
        },
    )
    assert _licenses(read, tmp_path, name) == {
        "plain.c": ("", "MIT"),
        "gpl.c": (REFUSED, "GPL-2.0-only"),
        "named.c": (REFUSED, "GPL-3.0-or-later"),
        "or.c": ("", "GPL-3.0-only OR MIT"),
        "and.c": (REFUSED, "GPL-3.0-only AND MIT"),
        "closed.c": (REFUSED, NONE),
        "told.c": ("", "MIT"),
        "lib/deep/gpl.c": (REFUSED, NONE),
        "isc/a.c": ("", "ISC"),
        "package/gpl.c": (REFUSED, "GPL-3.0-or-later AND MIT"),
        "license.c": ("", "MIT"),
    }


def test_only_a_repository_that_is_trusted_by_name_may_have_no_licence(
    read: Ingest, tmp_path: Path
) -> None:
    write_files(tmp_path, {"a.c": CODE, "b.c": f"// SPDX-License-Identifier: MIT\n{CODE}"})
    kept = {"a.c": ("", NONE), "b.c": ("", "MIT")}
    assert _licenses(read, tmp_path, "local/shop") == kept
    assert _licenses(read, tmp_path) == kept | {"a.c": (REFUSED, NONE)}
    assert _licenses(read, tmp_path, trusted=["acme/*"]) == kept
    write_files(tmp_path, {"lib/LICENSE": GPL, "lib/c.c": CODE, "pkg/c.c": CODE})
    write_files(tmp_path, {"pkg/package.json": '{"license": "UNLICENSED"}'})
    nested = {"lib/c.c": (REFUSED, NONE), "pkg/c.c": ("", NONE)}
    assert _licenses(read, tmp_path, "local/shop") == kept | nested


@pytest.mark.parametrize(
    ("files", "license_id"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"MIT-LICENSE.txt": MIT}, "MIT"),
        ({"LICENCE-2.1": MIT.upper()}, "MIT"),
        ({"LICENSE": ISC}, "ISC"),
        ({"LICENSE": APACHE_NOTICE}, "Apache-2.0"),
        ({"LICENSE": MIT, "COPYING": ISC}, "ISC AND MIT"),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE_NOTICE}, "Apache-2.0 OR MIT"),
        ({"LICENSE": "Under LICENSE-MIT or LICENSE-APACHE.\n", "LICENSE-MIT": MIT}, NONE),
        ({"LICENSE": "Found in LICENSE-MIT or LICENSE-ISC.\n", "LICENSE-MIT": MIT}, "MIT"),
        ({"LICENSE": MIT, "src/LICENSE.md": "# MIT\n\nSee [it](../LICENSE).\n"}, "MIT"),
        ({"LICENSE": MIT, "src/LICENSE": "All rights reserved, in LICENSE too.\n"}, NONE),
        (
            {"COPYING": "Dual-licensed, use either.\n", "UNLICENSE": MIT, "LICENSE-ISC": ISC},
            "ISC OR MIT",
        ),
        ({"COPYING": "Dual-licensed, GPL or commercial.\n", "LICENSE-ISC": ISC}, NONE),
        ({"LICENSE": "SPDX-License-Identifier: MIT\n"}, "MIT"),
        ({"LICENSE": GPL, "package.json": '{"license": "MIT"}'}, NONE),
        ({"package.json": '{"license": "MIT"}'}, "MIT"),
        ({"pyproject.toml": '[project]\nlicense = "MIT"\n', "package.json": "{}"}, "MIT"),
        ({"Cargo.toml": '[package]\nlicense = "MIT/Apache-2.0"\n'}, "MIT OR Apache-2.0"),
        ({"Cargo.toml": '[workspace.package]\nlicense = "ISC"\n', "src/Cargo.toml": ""}, "ISC"),
        ({"pom.xml": "<licenses><license><name>The MIT License</name></license>"}, "MIT"),
        ({"package.json": '{"license": "UNLICENSED"}'}, NONE),
        ({"LICENSE": MIT, "src/package.json": '{"license": "ISC"}'}, "ISC AND MIT"),
        ({"LICENSE": MIT, "src/package.json": '{"license": "UNLICENSED"}'}, "MIT"),
        ({"node_modules/a/LICENSE": MIT}, NONE),
    ],
)
def test_texts_and_manifests_of_the_nearest_folder_decide(
    read: Ingest, tmp_path: Path, files: dict[str, str], license_id: str
) -> None:
    write_files(tmp_path, {**files, "src/a.c": CODE, "b.c": "// SPDX-License-Identifier: MIT\n"})
    reason = REFUSED if license_id == NONE else ""
    assert _licenses(read, tmp_path)["src/a.c"] == (reason, license_id)


@pytest.mark.parametrize(
    ("text", "license_id"),
    [
        (MIT, "MIT"),
        (MIT.replace("\n", "\r\n"), "MIT"),
        (MIT.replace("AUTHORS OR COPYRIGHT HOLDERS", "SHOP GMBH"), "MIT"),
        ("".join(f" * {line}\n" for line in MIT.split("\n")), "MIT"),
        (MIT.partition("conditions:")[0], NONE),
        (f"{MIT}\nThe Software shall be used for Good, not Evil.\n", NONE),
        (f"{MIT}\nCommercial use needs a licence of ours.\n", NONE),
        (MIT.replace("2024 Somebody", "2024 Somebody. Not for commercial use."), NONE),
        (MIT.replace("MIT License", "MIT Non-Commercial License"), NONE),
        (MIT + "We thank all who helped with this. " * 20, "MIT"),
        (MIT + " ".join(f"word{number}" for number in range(60)), NONE),
        (f"{MIT}\nbundled/strings.c is by Somebody:\n{ISC}", "ISC AND MIT"),
        (f"Either of these, at your option:\n{MIT}\n{ISC}", "ISC OR MIT"),
        (f"{MIT}\nbundled/strings.c:\n{GPL * 3}", NONE),
        (APACHE_NOTICE, "Apache-2.0"),
        ("", NONE),
        ("MIT", NONE),
    ],
)
def test_a_text_is_a_licence_only_if_it_says_little_else(text: str, license_id: str) -> None:
    assert license_of_text(text, 0.9) == license_id


def test_the_similarity_that_is_asked_for_is_the_configurations(
    read: Ingest, tmp_path: Path
) -> None:
    half = MIT + " ".join(f"word{number}" for number in range(60))
    files = {"LICENSE": half, "a.c": CODE, "b.c": "// SPDX-License-Identifier: MIT\n"}
    write_files(tmp_path, files)
    assert _licenses(read, tmp_path)["a.c"] == (REFUSED, NONE)
    assert _licenses(read, tmp_path, min_similarity=0.8)["a.c"] == ("", "MIT")
    assert recognise(MIT, 1.0) == "MIT"


@pytest.mark.parametrize(
    ("header", "license_id"),
    [
        ("# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n", "Apache-2.0 WITH LLVM-ex"),
        ("/* Licensed under the Apache License, Version 2.0 */\n", "Apache-2.0"),
        ('"""License: GPLv3+"""\n', "GPL-3.0-only"),
        ("-- @license LGPL-2.1 or later\n", "LGPL-2.1-or-later"),
        ("<!-- under the GNU Affero General Public License v3 -->", "AGPL-3.0-only"),
        ("// Distributed under the terms of the GNU GPL.\n", "GPL-1.0-or-later"),
        ("// License: MIT (GPL compatible)\n", ""),
        ("// Subject to the Server Side Public License, v 1.\n", "SSPL-1.0"),
        ("#!/bin/sh\n\n# Proprietary and confidential.\n", NONE),
        ("# Apache License, Version 2.0.\n# For non-commercial use.\n", NONE),
        ("# Licensed to you, but commercial use is prohibited.\n", NONE),
        ("# The price list for commercial use of the shop.\n", ""),
        ("/*\n * Uses\n */\nlet message = 'licensed under the GPL';\n", ""),
        ("x = 1\n", ""),
    ],
)
def test_a_header_names_the_licence_of_its_file(header: str, license_id: str) -> None:
    found = license_of_header(header, "Python")
    assert found.startswith(license_id)
    assert bool(found) == bool(license_id)


@pytest.mark.parametrize(
    ("name", "text", "license_id"),
    [
        (
            "package.json",
            '{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}',
            "GPL-2.0-only OR MIT",
        ),
        ("composer.json", '{"license": ["MIT", "Apache-2.0"]}', "Apache-2.0 OR MIT"),
        ("package.json", '{"license": "SEE LICENSE IN TERMS"}', NONE),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD-3-Clause"}\n', "BSD-3-Clause"),
        ("pyproject.toml", '[tool.poetry]\nlicense = "Apache License 2.0"\n', "Apache-2.0"),
        (
            "pyproject.toml",
            '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]\n',
            "MIT",
        ),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved"]\n', ""),
        ("setup.cfg", "[metadata]\nname = a\nlicense = BSD\n", NONE),
        (
            "setup.cfg",
            "[metadata]\nclassifiers =\n  Topic :: Office\n  License :: OSI :: ISC License\n",
            "ISC",
        ),
        ("a.gemspec", 's.licenses = ["MIT", "ISC"]\n', "ISC OR MIT"),
        ("mix.exs", 'licenses: ["Apache-2.0", "MIT"],\n', "Apache-2.0 AND MIT"),
        ("pom.xml", "<!-- <license><name>GPL</name></license> --><name>shop</name>", ""),
        ("pom.xml", "<license><name>Apache License, Version 2.0</name></license>", "Apache-2.0"),
        ("package.json", "{", NONE),
        ("package.json", "[" * 190_000, NONE),
        ("package.json", "3", ""),
        ("pyproject.toml", "a" + ".a" * 90_000 + " = 1\n", NONE),
        ("pyproject.toml", "a = " + "[" * 90_000, NONE),
        ("setup.cfg", "[metadata]\n" + " x\n" * 60_000, ""),
        ("pom.xml", "<!--" * 50_000, ""),
        ("a.gemspec", ".license =" * 19_000, ""),
    ],
)
def test_a_manifest_is_read_as_data(name: str, text: str, license_id: str) -> None:
    started = time.monotonic()
    assert license_of_manifest(name, text) == license_id
    assert time.monotonic() - started < 10


def test_an_exception_permits_more_and_an_unknown_word_nothing() -> None:
    assert is_allowed("Apache-2.0 WITH LLVM-exception", ["Apache-2.0"])
    assert is_allowed("GPL-2.0-only OR (MIT AND ISC)", ["MIT", "isc"])
    assert not is_allowed("MIT AND (", ["MIT"])
    assert not is_allowed(NONE, ["MIT"])


def test_only_documents_are_licence_texts() -> None:
    for name in ("LICENSE", "a/Licence.md", "COPYING.LESSER", "LICENSE.MIT", "UNLICENSE"):
        assert is_license_name(name), name
    for name in ("license.py", "LICENSE.png", "license.html", "license.json", "unlicensed", "a"):
        assert not is_license_name(name), name


@given(st.frozensets(st.integers(0, 0xFFFFFF)))
def test_fingerprints_are_packed_without_loss(grams: frozenset[int]) -> None:
    assert unpacked(packed(grams)) == grams


@given(st.text(max_size=300), st.sampled_from(["", MIT, ISC]))
def test_no_text_breaks_the_readers(text: str, around: str) -> None:
    assert recognise(around + text, 0.9)
    assert isinstance(license_of_header(text, "Python"), str)
    for name in ("package.json", "Cargo.toml", "setup.cfg", "pom.xml", "a.gemspec", "mix.exs"):
        assert isinstance(license_of_manifest(name, text), str)
