"""Write `ingestion/data/linguist.json` from Linguist's `languages.yml`.

Usage: python tools/linguist_table.py LANGUAGES_YML VERSION

The table holds facts only: each language's name and type, and which languages an extension, a
file name or an interpreter may mean.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent.parent / "repo_tune_pipeline/ingestion/data/linguist.json"
KEYS = ("extensions", "filenames", "interpreters")


def main(source: Path, version: str) -> None:
    """Read `source` and write the table."""
    languages: dict[str, dict[str, Any]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    table: dict[str, Any] = {
        "source": f"github-linguist/linguist {version}, lib/linguist/languages.yml (MIT)",
        "types": {name: facts["type"] for name, facts in sorted(languages.items())},
    }
    for key in KEYS:
        claims: dict[str, list[str]] = {}
        for name, facts in sorted(languages.items()):
            for value in facts.get(key, ()):
                claims.setdefault(value.lower(), []).append(name)
        table[key] = {value: sorted(set(names)) for value, names in sorted(claims.items())}
    aliases = {
        alias.lower(): name
        for name, facts in sorted(languages.items())
        for alias in (name, *facts.get("aliases", ()))
    }
    table["aliases"] = {a: n for a, n in sorted(aliases.items()) if a != n.lower()}
    TABLE.parent.mkdir(exist_ok=True)
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    TABLE.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
