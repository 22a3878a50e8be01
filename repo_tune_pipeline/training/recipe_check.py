"""Whether Axolotl would take a recipe, asked of Axolotl's own schema in a process of its own.

Importing that schema loads torch, which the planning process must not do; an answer is kept, so
that the question costs its seconds once per recipe and Axolotl version.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import orjson

from repo_tune_pipeline.artifacts import Home, digest_json, write_json
from repo_tune_pipeline.errors import ConfigError, TrainingError
from repo_tune_pipeline.settings import TrainingSettings
from repo_tune_pipeline.training.environment import trainer_environment
from repo_tune_pipeline.training.recipe import Layer, lay

CHECKER = "repo_tune_pipeline.training.schema_worker"
_SECONDS = 300
_PACKAGES = {
    "deepspeed": ("deepspeed", "deepspeed"),
    "use_ray": ("ray", "'repo-tune-pipeline[ray]'"),
    "use_mlflow": ("mlflow", "mlflow-skinny"),
    "use_comet": ("comet_ml", "comet-ml"),
}
"""Keys that need a package which isn't installed with this one: its module, and what to install."""


def check_recipe(layers: Sequence[Layer], home: Home) -> None:
    """Return if Axolotl takes the configuration that `layers` make.

    Raises:
        ConfigError: an unknown key, a wrong type or a combination that Axolotl refuses; with the
            file, the key and what is allowed. Or a key needs a package that isn't installed.
        TrainingError: Axolotl itself can't be started.
    """
    recipe = lay(layers, TrainingSettings())
    for key, (module, package) in _PACKAGES.items():
        if recipe.get(key) and find_spec(module) is None:
            raise ConfigError(
                f"`{key}` needs a package that isn't installed.", f"`pip install {package}`."
            )
    question = {
        "layers": [{"file": str(layer.file), "values": layer.values} for layer in layers],
        "recipe": recipe,
    }
    asked = [[layer.values for layer in layers], version("axolotl"), version("torch"), sys.prefix]
    digest = digest_json(asked)
    passed = home.root / "cache" / "recipes" / f"{digest[:16]}.json"
    if passed.is_file():
        return
    answer = _ask(question)
    if "problem" in answer:
        raise ConfigError(answer["problem"], answer["remedy"])
    write_json(passed, {"axolotl": version("axolotl")})


def _ask(question: dict[str, Any]) -> dict[str, str]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", CHECKER],
            input=orjson.dumps(question),
            capture_output=True,
            env=trainer_environment(),
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TrainingError(
            f"Axolotl didn't answer within {_SECONDS} s whether it takes the recipe.",
            "Run again when this machine is less busy.",
        ) from None
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode or not lines:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-5:]
        raise TrainingError(
            f"Axolotl can't be started (exit {done.returncode}): {' '.join(said)}",
            "Install this package again; `repo-tune doctor` shows what is missing.",
        )
    return orjson.loads(lines[-1])
