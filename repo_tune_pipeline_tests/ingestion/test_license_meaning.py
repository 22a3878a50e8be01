"""A licence text of which a word that decides was changed is another licence, however similar."""

from __future__ import annotations

import re

import pytest

from repo_tune_pipeline.ingestion.licenses import license_of_text
from repo_tune_pipeline.records import NO_ASSERTION
from repo_tune_pipeline_tests.ingestion.texts import APACHE, APACHE_NOTICE, BSD, ISC, MIT

KNOWN = {"MIT": MIT, "ISC": ISC, "BSD-3-Clause": BSD, "Apache-2.0": APACHE}


def _license(text: str) -> str:
    return license_of_text(text, 0.9)


def _altered(text: str, old: str, new: str) -> str:
    """`text` with `old`, however it is wrapped, replaced by `new`; it has to occur."""
    wrapped = re.compile(r"\s+".join(map(re.escape, old.split())))
    altered, count = wrapped.subn(new, text)
    assert count, old
    return altered


@pytest.mark.parametrize(
    ("license_id", "old", "new"),
    [
        ("MIT", ", and/or sell", ""),
        ("MIT", "sublicense, and/or sell", "and/or sublicense"),
        ("MIT", "distribute, sublicense,", "sublicense,"),
        ("MIT", "copy, modify, merge", "copy, merge"),
        ("MIT", "without restriction", "with restrictions"),
        ("MIT", "free of charge", "for a charge"),
        ("MIT", "to any person", "to any natural person who doesn't sell it"),
        ("MIT", "without restriction,", "for non-commercial purposes only,"),
        ("MIT", "conditions:", "conditions, and for noncommercial use only:"),
        ("MIT", "shall be included in all copies or substantial portions", "may be left out"),
        ("ISC", "with or without fee", "without fee"),
        ("ISC", "modify, and/or distribute", "and/or modify"),
        ("BSD-3-Clause", "and binary forms", "forms"),
        ("BSD-3-Clause", "with or without modification", "without modification"),
        ("BSD-3-Clause", "are permitted", "are not permitted"),
        ("BSD-3-Clause", "without specific prior", "with specific prior"),
        ("BSD-3-Clause", "specific prior written permission.", "telling."),
        ("BSD-3-Clause", "are met:", "are met, and no fee is charged:"),
        (
            "BSD-3-Clause",
            "2. Redistributions in binary form must reproduce the above copyright notice,"
            " this list of conditions and the following disclaimer in the documentation"
            " and/or other materials provided with the distribution.",
            "",
        ),
        ("Apache-2.0", "irrevocable copyright license", "copyright license"),
        ("Apache-2.0", "royalty-free,", ""),
        ("Apache-2.0", "sublicense, and distribute the Work", "and sublicense the Work"),
        ("Apache-2.0", "You may reproduce and distribute", "You may not reproduce and distribute"),
        ("Apache-2.0", "publicly perform,", ""),
        ("Apache-2.0", "You must cause any modified files", "You may cause any modified files"),
        (
            "Apache-2.0",
            "(b) You must cause any modified files to carry prominent notices stating that"
            " You changed the files; and",
            "",
        ),
        ("Apache-2.0", "but excluding communication", "and communication"),
    ],
)
def test_a_word_that_decides_makes_another_licence(license_id: str, old: str, new: str) -> None:
    text = KNOWN[license_id]
    assert _license(text) == license_id
    assert _license(_altered(text, old, new)) == NO_ASSERTION


@pytest.mark.parametrize("license_id", KNOWN)
@pytest.mark.parametrize(
    "restriction",
    [
        "For non-commercial purposes only.",
        "It must not be used for weapons.",
        "You may not use the Work.",
        "Use by governments needs our approval.",
        "Except for companies of more than ten people.",
        "Use is free for students.",
        "This permission expires after a year.",
        "A company may use it after payment.",
        "Products that compete with ours are excluded.",
    ],
)
def test_a_restriction_forbids_an_answer_wherever_it_is_added(
    license_id: str, restriction: str
) -> None:
    text = KNOWN[license_id]
    assert _license(f"{text}\n{restriction}\n") == NO_ASSERTION
    assert _license(f"{restriction}\n\n{text}") == NO_ASSERTION
    assert _license(f"Copyright 2024 Somebody\n{restriction}\n{text}") == NO_ASSERTION


@pytest.mark.parametrize("license_id", ["MIT", "ISC", "BSD-3-Clause"])
def test_a_negation_is_seen_at_every_place(license_id: str) -> None:
    words = KNOWN[license_id].split()
    for position in range(len(words) + 1):
        text = " ".join([*words[:position], "not", *words[position:]])
        assert _license(text) == NO_ASSERTION, words[max(0, position - 3) : position + 3]


def test_clauses_of_another_licence_are_not_taken_for_the_rest_of_a_known_one() -> None:
    """Without its changed third clause a text is 0.9 similar to the licence of two clauses."""
    promoting = _altered(BSD, "Neither the name of the copyright holder nor the", "The")
    assert _license(promoting) == NO_ASSERTION
    assert _license(_altered(BSD, "prior written permission", "permission")) == NO_ASSERTION


@pytest.mark.parametrize("license_id", KNOWN)
def test_what_says_nothing_may_differ(license_id: str) -> None:
    text = KNOWN[license_id]
    names = "".join(
        f"Copyright (C) {year} Name {year} <n{year}@example.test>\n" for year in range(2000, 2025)
    )
    holders = (
        "Copyright 2024 Ann Other,\n  Bob Else and\n  The Regents of Somewhere, 12 Main Street\n\n"
    )
    for same in (
        text.upper(),
        text.replace("\n", "\r\n"),
        " ".join(text.split()),
        "\n".join(text.split()),
        text.replace('"', "''").replace(",", " ,"),
        "".join(f" * {line}\n" for line in text.split("\n")),
        re.sub(r"(?m)^( *)\d\. ", r"\1* ", text),
        names + text,
        holders + text,
        f"The {license_id} License\n{'=' * 30}\n\n{text}",
        f"{text}\n-- \nSomebody Ltd.\nMain Street 1\n10115 Berlin\nhttps://example.test\n",
        re.sub(r"(?i)\bthis software\b", "the software", text),
        re.sub(r"(?i)\bcopyright holder(s?)\b", r"copyright owner\1", text),
        text.replace("license", "licence"),
    ):
        assert _license(same) == license_id, same[:200]


@pytest.mark.parametrize(
    ("text", "license_id"),
    [
        (_altered(MIT, "and/or", "and / or"), "MIT"),
        (_altered(MIT, "distribute, sublicense", "dis-\ntribute, sub-\nlicense"), "MIT"),
        (_altered(MIT, "THE SOFTWARE IS", "THIS SOFTWARE IS"), "MIT"),
        (
            _altered(MIT, "permission notice", "permission notice (including the next\nparagraph)"),
            "MIT",
        ),
        (_altered(ISC, "and/or distribute", "and distribute"), "ISC"),
        (_altered(ISC, "THE AUTHOR", "SOMEBODY"), "ISC"),
        (_altered(BSD, "the copyright holder nor", "Somebody, Inc. or"), "BSD-3-Clause"),
        (_altered(BSD, "names of its", "names of any"), "BSD-3-Clause"),
        (_altered(BSD, "and use in source", "and use of Shop in source"), "BSD-3-Clause"),
        (_altered(BSD, "Redistributions", "Redistribution"), "BSD-3-Clause"),
        (APACHE.partition("END OF TERMS")[0], "Apache-2.0"),
        (
            _altered(APACHE, "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION", ""),
            "Apache-2.0",
        ),
        (_altered(APACHE, "[yyyy] [name of copyright owner]", "2024 Somebody"), "Apache-2.0"),
        (_altered(APACHE_NOTICE, "this file", "this library"), "Apache-2.0"),
        (MIT + MIT.replace("2024 Somebody", "2020 Another"), "MIT"),
        (
            f"{MIT}\nlib/strings is by another:\n\n{BSD}\nlib/numbers too:\n\n{BSD}",
            "BSD-3-Clause AND MIT",
        ),
        (MIT + _altered(MIT, ", and/or sell", ""), NO_ASSERTION),
    ],
)
def test_the_wordings_that_real_repositories_have_are_known(text: str, license_id: str) -> None:
    assert _license(text) == license_id
