"""A file's name, its first line or its content tells its language, as in Linguist's table."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_tune_pipeline.ingestion.languages import (
    LANGUAGES,
    language_named,
    language_of_content,
    language_of_path,
    language_of_shebang,
)
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.texts import write_files

KEPT = {
    "C": ("a.c", "a.idc", "plain.h"),
    "C#": ("a.cs", "a.csx", "a.cake"),
    "C++": ("a.cc", "a.cpp", "a.cxx", "a.hh", "a.hpp", "a.hxx", "a.inl", "a.ino", "a.ipp", "cpp.h"),
    "Elixir": ("a.ex", "a.exs"),
    "Go": ("a.go",),
    "Haskell": ("a.hs", "a.hsc", "a.hs-boot"),
    "Java": ("A.java", "a.jav"),
    "JavaScript": ("a.js", "a.cjs", "a.mjs", "a.jsx", "a.es6", "a.gs", "Jakefile"),
    "Jupyter Notebook": ("a.ipynb",),
    "Kotlin": ("a.kt", "a.kts", "a.ktm"),
    "Lua": ("a.lua", "a.nse", "a.rockspec", ".luacheckrc"),
    "Markdown": ("a.md", "a.markdown", "a.mkd", "README.MD"),
    "PHP": ("a.php", "a.ctp", "a.php5", "page.inc"),
    "Python": ("a.py", "a.pyi", "a.pyw", "a.wsgi", "SConstruct", "wscript", "a.PY"),
    "ReScript": ("a.res", "a.resi"),
    "Ruby": ("a.rb", "a.rake", "a.gemspec", "a.ru", "Gemfile", "Rakefile", "Vagrantfile"),
    "Rust": ("a.rs",),
    "SQL": ("a.sql", "a.ddl", "a.pls", "a.pgsql", "a.plsql"),
    "Scala": ("a.scala", "a.sbt", "a.sc"),
    "Shell": ("a.sh", "a.bash", "a.zsh", "a.bats", ".bashrc", "PKGBUILD", "run", "bin/tool"),
    "Swift": ("a.swift",),
    "TSX": ("a.tsx",),
    "TypeScript": ("a.ts", "a.mts", "a.cts"),
    "reStructuredText": ("a.rst", "a.rest"),
}
CONTENTS = {
    "a.ipynb": '{"cells": []}',
    "cpp.h": "namespace b { int a(); }\n",
    "page.inc": "<?php\n",
    "run": "#!/usr/bin/env -S bash -e\n",
    "bin/tool": "#!/bin/sh\necho\n",
}


def test_every_kept_language_is_told_by_its_names(read: Ingest, tmp_path: Path) -> None:
    wanted = {path: language for language, paths in KEPT.items() for path in paths}
    assert set(KEPT) == set(LANGUAGES)
    for path in wanted:
        # A folder each: some names differ in case only.
        folder = "".join(f"{ord(letter):02x}" for letter in path)
        write_files(tmp_path / folder, {path: CONTENTS.get(path, "a\n")})
    snapshot = read(tmp_path)
    found = {file.path.partition("/")[2]: file.language for file in snapshot.files}
    assert found == wanted


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("a.h", "int a(void);\n", "C"),
        ("a.h", '#include <stdio.h>\nextern "C" {\n', "C++"),
        ("a.h", "@interface A : NSObject\n", "Objective-C"),
        ("a.ts", "<?xml version='1.0'?>\n<TS/>", "XML"),
        ("a.ts", "let a: number;\n", "TypeScript"),
        ("a.inc", "mov ax, 1\n", ""),
        ("a.txt", "words\n", "Text"),
        ("a.re", "let a = 1;\n", "Reason"),
        ("no/such.extension1", "", ""),
    ],
)
def test_the_content_decides_where_an_extension_means_several(
    path: str, text: str, language: str
) -> None:
    assert language_of_content(path, text) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        (b"#!/usr/bin/python3.11 -u\n", "Python"),
        (b"#! /usr/bin/env -S A=1 node --flag\n", "JavaScript"),
        (b"#!/usr/local/bin/lua5.4\n", "Lua"),
        (b"#!/usr/bin/env ruby", "Ruby"),
        (b"#!/usr/bin/perl -w\n", "Perl"),
        (b"#!\n", ""),
        (b"#!/usr/bin/env\n", ""),
        (b"#!\xff\xfe\n", ""),
        (b"print(1)\n", ""),
    ],
)
def test_the_first_line_names_an_interpreter(line: bytes, language: str) -> None:
    assert language_of_shebang(line) == language


def test_attributes_name_languages_in_any_spelling() -> None:
    for name in ("C++", "cpp", "c++", "CPP"):
        assert language_named(name) == "C++"
    assert language_named("jupyter-notebook") == "Jupyter Notebook"
    assert language_named("PLpgSQL") == "SQL"
    assert language_named("nothing") == language_of_path("nothing.nothing") == ""
