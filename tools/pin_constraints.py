"""`python tools/pin_constraints.py REPORT`: pip's resolution report as lines for constraints.txt.

Local versions (`+cpu`) are left out, so that each platform takes its own build.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

OWN = "repo-tune-pipeline"


def pins(report: Path) -> list[str]:
    """`name==version`, normalised and sorted, for everything but this project itself."""
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"]
        for item in installed
    }
    return [f"{name}=={found[name].split('+')[0]}" for name in sorted(found) if name != OWN]


if __name__ == "__main__":
    sys.stdout.write(
        "# The whole resolved set, with the extras bench, dev, ray and postgres; "
        "`make constraints` writes it anew.\n"
    )
    sys.stdout.write("\n".join(pins(Path(sys.argv[1]))) + "\n")
