"""``python -m repo_tune_pipeline.models.starter.recipe --out FOLDER --minutes N``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.models.starter.recipe.stages import STAGES, Recipe


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe's stages; a stage whose result lies in the work folder isn't run again."""
    parser = argparse.ArgumentParser(
        prog="python -m repo_tune_pipeline.models.starter.recipe",
        description="Make the starter model from this machine's permissively licensed source.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--minutes", type=float, default=90.0, help="time to train, in minutes")
    parser.add_argument("--work", type=Path, help="folder for what lies between the stages")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--stages", default=",".join(STAGES), help="some of: " + ", ".join(STAGES))
    parser.add_argument("--only", default="", help="names of distributions, to read no others")
    parsed = parser.parse_args(arguments)
    work = parsed.work or parsed.out.with_name(parsed.out.name + ".work")
    only = frozenset(name for name in parsed.only.split(",") if name)
    recipe = Recipe(parsed.out, work, parsed.minutes, parsed.threads, only)
    try:
        recipe.run(parsed.stages.split(","))
    except RepoTuneError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
