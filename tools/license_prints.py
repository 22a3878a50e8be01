"""Write `ingestion/data/licenses.json`, the fingerprints of licence texts.

Usage: python tools/license_prints.py "SOURCE=FOLDER" ...

Each FOLDER holds texts named by their SPDX identifier (`MIT.txt`, `MIT@2.txt` for another part or
wording), or with it in a front matter (`spdx-id:`), as choosealicense.com keeps them under
`_licenses`. SOURCE says where they come from and under what terms. What stands after the end of
the terms, on how to apply them, is a part of its own: many copies leave it out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from repo_tune_pipeline.ingestion.fingerprints import fingerprint, packed

PRINTS = Path(__file__).parent.parent / "repo_tune_pipeline/ingestion/data/licenses.json"
FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
SPDX_ID = re.compile(r"^spdx-id: *(\S+)", re.MULTILINE)
END = re.compile(r"END OF TERMS AND CONDITIONS\s*", re.IGNORECASE)
UNVERSIONED = re.compile(r"(?:A|L)?GPL-[\d.]+$|GFDL-[\d.]+$")
SMALLEST = 20


def main(arguments: list[str]) -> None:
    """Read the texts of all folders and write their fingerprints."""
    rows: dict[tuple[str, str, int, int], None] = {}
    sources: list[str] = []
    for argument in arguments:
        source, _, folder = argument.rpartition("=")
        sources.append(source)
        for file in sorted(Path(folder).glob("*.txt")):
            for part in END.split(text := file.read_text(encoding="utf-8")):
                found = fingerprint(identifier(file, text), FRONT.sub("", part))
                if len(found.grams) >= SMALLEST:
                    rows[found.license, packed(found.grams), *found.operative] = None
    data = {"sources": sources, "fingerprints": sorted(rows)}
    PRINTS.write_text(json.dumps(data, indent=0) + "\n", encoding="utf-8")


def identifier(file: Path, text: str) -> str:
    """The SPDX identifier of a text; a version of the GNU licences alone means that one only."""
    front = FRONT.match(text)
    named = SPDX_ID.search(front[1]) if front else None
    found = named[1] if named else re.sub(r"@\d+$", "", file.stem)
    return f"{found}-only" if UNVERSIONED.fullmatch(found) else found


if __name__ == "__main__":
    main(sys.argv[1:])
