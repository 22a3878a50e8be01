"""How long an evaluation of 500 examples in the four cells takes, against a limit of six minutes.

    python bench/evaluation.py HOME [--examples N] [--variant V]

HOME is one in which an adapter was trained (`repo-tune run`). Every example is scored and answered
in each cell; where fewer are held out, the time is scaled to 500. The placebo, Gemini and the files
that changed last are left out; the other controls are in. Prints the ratio to the limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.evaluation import plan_evaluation
from repo_tune_pipeline.settings import EvaluationSettings, Settings, VariantSettings

LIMIT_SECONDS = 360.0
EXAMPLES = 500


def main() -> None:
    """Run one evaluation in a process of its own, as Dagster does, into a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--examples", type=int, default=EXAMPLES)
    parser.add_argument("--variant", default="main")
    given = parser.parse_args()
    home = Home(given.home.absolute())
    settings = EvaluationSettings(
        max_examples=given.examples, max_generations=given.examples, max_recent=0, placebo=""
    )
    plan = plan_evaluation(
        adapter=(home.adapters(given.variant) / "latest").resolve(),
        dataset=home.latest_dataset.resolve(),
        variant=given.variant,
        filter=VariantSettings(),
        settings=Settings(evaluation=settings),
        home=home,
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        values = {**plan.to_json(), "folder": str(place / "out"), "work_dir": str(place / "work")}
        file = place / "work" / "plan.json"
        file.parent.mkdir()
        file.write_text(json.dumps(values))
        began = time.monotonic()
        worker = "repo_tune_pipeline.evaluation.worker"
        subprocess.run([sys.executable, "-m", worker, str(file)], check=True)
        seconds = time.monotonic() - began
        report = json.loads((place / "out" / "report.json").read_text())
    counts = report["settings"]["counts"]
    scaled = seconds * EXAMPLES / counts["scored"]
    print(
        f"{counts['scored']} examples scored, {counts['generated']} answered in each of four "
        f"cells: {seconds:.0f} s, or {scaled:.0f} s for {EXAMPLES}; {scaled / LIMIT_SECONDS:.2f} "
        f"of the limit of {LIMIT_SECONDS:.0f} s"
    )


if __name__ == "__main__":
    main()
