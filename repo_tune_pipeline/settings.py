"""`configs/repo_tune.yaml` and the environment, as typed settings that are validated once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import TaskName

DEFAULT_CONFIG = Path("configs/repo_tune.yaml")
DEFAULT_HOME = Path(".repo_tune")
STARTER = "starter"
"""The name by which `base_model` means the model shipped inside this package."""

SectionT = TypeVar("SectionT", bound=BaseModel)
ProfileName = Literal["starter", "cpu", "gpu-8gb", "gpu-24gb", "gpu-80gb"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositorySettings(_Section):
    """One repository to ingest: a git URL, a local repository or a folder."""

    source: str
    ref: str = ""
    name: str = ""


class IngestionSettings(_Section):
    """Which files are read, and how long one git process may take."""

    max_file_bytes: int = Field(default=1_000_000, ge=1_000)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timeout_seconds: int = Field(default=600, ge=1)


class ChunkingSettings(_Section):
    """Limits on one chunk (characters) and on parsing one file (seconds)."""

    max_chunk_chars: int = Field(default=20_000, ge=200)
    parse_timeout_seconds: float = Field(default=5.0, gt=0)


class SftSettings(_Section):
    """Which examples are made, how long they may be (characters), and what is held out."""

    heldout_share: float = Field(default=0.15, gt=0, lt=1)
    min_heldout_examples: int = Field(default=8, ge=1)
    max_example_chars: int = Field(default=2_400, ge=200)
    tasks: tuple[TaskName, ...] = (
        "code_explanation",
        "code_completion",
        "documentation",
        "domain",
    )
    domains: tuple[str, ...] = ("general", "hyperswitch")


class TrainingSettings(_Section):
    """Which base model is trained under which hardware profile; empty means the profile's own."""

    base_model: str = ""
    profile: ProfileName = "starter"
    max_steps: int | None = Field(default=None, ge=1)
    shuffle_labels: bool = False


class EvaluationSettings(_Section):
    """How many held-out examples are scored and generated, and how intervals are drawn."""

    max_examples: int = Field(default=300, ge=1)
    max_generations: int = Field(default=48, ge=0)
    max_new_tokens: int = Field(default=64, ge=1)
    bootstrap_resamples: int = Field(default=2_000, ge=100)
    seed: int = 0


class VariantSettings(_Section):
    """Which examples an adapter learns from; an empty filter takes all."""

    repositories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tasks: tuple[TaskName, ...] = ()


class Settings(_Section):
    """The whole of `configs/repo_tune.yaml`."""

    repositories: tuple[RepositorySettings, ...] = ()
    ingestion: IngestionSettings = IngestionSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    sft: SftSettings = SftSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    variants: dict[str, VariantSettings] = {"main": VariantSettings()}


def load_settings(path: Path | None = None) -> Settings:
    """Read and validate the configuration.

    Args:
        path: a YAML file; None means `configs/repo_tune.yaml` of the working directory or, where
            there is none, the copy that came with the package.

    Raises:
        ConfigError: the file can't be read, isn't YAML, or has an unknown key or a wrong type.
    """
    file = path if path is not None else configs_dir() / DEFAULT_CONFIG.name
    return validate(Settings, read_yaml(file), file)


def validate(model: type[SectionT], data: object, file: Path) -> SectionT:
    """Build `model` from `data`, with the file, the key and what is allowed in the error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*_explain(model, error, file)) from None


def read_yaml(file: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping (an empty file is an empty mapping)."""
    try:
        loaded = cast(object, yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"Configuration {file} can't be read: {error.strerror}.",
            "Name an existing YAML file.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = " ".join(str(error).split())
        raise ConfigError(f"Configuration {file} isn't valid YAML: {where}.") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(
            f"Configuration {file} holds a {type(loaded).__name__} where a mapping belongs.",
            "Write `key: value` lines at its top level.",
        )
    return cast(dict[str, Any], loaded)


def configs_dir(config: Path | None = None) -> Path:
    """Where `axolotl.yaml`, `profiles/` and `domains/` lie.

    That is the folder of `config` if they lie there, else `configs/` of the working directory, of
    this checkout, or of the installed package.
    """
    if config is not None and (config.absolute().parent / "axolotl.yaml").is_file():
        return config.absolute().parent
    package = Path(__file__).parent
    candidates = (Path.cwd() / "configs", package.parent / "configs", package / "_configs")
    for candidate in candidates:
        if (candidate / DEFAULT_CONFIG.name).is_file():
            return candidate
    raise ConfigError(
        f"No {DEFAULT_CONFIG} was found in {Path.cwd()} or beside the package.",
        "Run from a checkout, or pass --config FILE.",
    )


def home_dir(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where all state lies: the given folder, else REPO_TUNE_HOME, else `.repo_tune`; absolute."""
    return Path(given or environ.get("REPO_TUNE_HOME") or DEFAULT_HOME).expanduser().absolute()


def _explain(model: type[BaseModel], error: ValidationError, file: Path) -> tuple[str, str]:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(top level)"
    if first["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_keys_beside(model, first["loc"])))
        return f"{file}: unknown key `{key}`.", f"Allowed here: {allowed}."
    value = repr(first["input"])
    return f"{file}: `{key}` is {value[:80]}: {first['msg']}.", "Correct the value."


def _keys_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The field names of the section in which the last part of `loc` stands."""
    schema = model.model_json_schema()
    node: dict[str, Any] = schema
    for part in loc[:-1]:
        node = _resolve(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
    return list(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node
