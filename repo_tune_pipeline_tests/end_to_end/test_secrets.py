"""Three hundred secrets of thirty kinds in a repository: none comes out anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from repo_tune_pipeline.retrieval import index as retrieval_index
from repo_tune_pipeline.settings import SftSettings, TeacherSettings
from repo_tune_pipeline.sft import Stock
from repo_tune_pipeline.sft.teacher import TeacherRun
from repo_tune_pipeline_tests.end_to_end.program import commit_all, repo_tune
from repo_tune_pipeline_tests.model_server import Answer, ModelServer
from repo_tune_pipeline_tests.secrets.planted import Planted, planted
from repo_tune_pipeline_tests.sft.stocks import library

NAME = "acme/planted"
CONFIG = """\
sft:
  min_heldout_examples: 1
ingestion:
  licenses:
    trusted: ["acme/*"]
"""


def plant(folder: Path, secrets: list[Planted]) -> None:
    """Each secret in a file of its own form; some also in code that becomes examples."""
    for path, text in library(40).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for number, one in enumerate(secrets):
        place = folder / "planted" / f"{one.kind.replace(' ', '_').replace('/', '_')}_{number}"
        place.parent.mkdir(exist_ok=True)
        place.with_name(place.name + one.suffix).write_text(one.text)
        if "\n" in one.value:
            continue
        lines = "\n".join(f"    step_{number}_{n} = prepare({n}, {number})" for n in range(6))
        (folder / "planted" / f"use_{number}.py").write_text(
            f'def connect_{number}(client):\n    """Open the connection number {number} with '
            f'the client\'s own settings."""\n{lines}\n    password = "{one.value}"\n'
            f"    return client.open({number}, password)\n"
        )


def everything(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the home directory, tables in plain form, too."""
    for file in sorted(home.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield str(file.relative_to(home)), file.read_bytes()
            if file.suffix == ".parquet":
                yield f"{file.name} (read)", repr(pq.read_table(file).to_pylist()).encode()


def test_no_secret_reaches_a_file_a_log_the_index_dagster_or_a_teacher(tmp_path: Path) -> None:
    secrets = [one for seed in range(10) for one in planted(seed)]
    assert len(secrets) == 300
    assert len({one.kind for one in secrets}) == 30
    random.Random(0).shuffle(secrets)
    folder = tmp_path / "planted"
    folder.mkdir()
    plant(folder, secrets)
    commit_all(folder, "Add what the service needs to connect")
    config = tmp_path / "repo_tune.yaml"
    config.write_text(CONFIG)
    home = tmp_path / "home"
    ingested = repo_tune("ingest", folder, "--name", NAME, "--config", config, "--json", home=home)
    assert ingested.code == 0, ingested.err
    made = repo_tune("generate-data", "--config", config, "--json", home=home)
    assert made.code == 0, made.err
    said = "\n".join((ingested.out, ingested.err, made.out, made.err)).encode()
    prompts = "\n".join(_asked(home)).encode()
    assert prompts
    found = [("the terminal", said), ("the teacher", prompts), *everything(home)]
    found.append(("the index", _index_text(home)))
    values = {one.value.encode(): one.kind for one in secrets if one.value.strip()}
    leaks = {
        (place, kind)
        for place, content in found
        for value, kind in values.items()
        if value in content
    }
    assert not leaks
    assert made.result["examples"]["train"] > 100


def _asked(home: Path) -> list[str]:
    """What a teacher is sent about the same repository."""
    place = home / "repos" / NAME
    with ModelServer(lambda *_: Answer("no")) as server:
        teacher = TeacherSettings(
            provider="openai_api",
            model="a-model",
            base_url=f"{server.url}/v1",
            i_may_send_this_code=True,
            min_yield=0.0,
        )
        run = TeacherRun(SftSettings(teacher=teacher), home.parent / "teacher.db")
        run(Stock(NAME, place / "snapshot", place / "chunks").contents().chunks)
        return server.prompts


def _index_text(home: Path) -> bytes:
    """All that the search index holds, whatever its files' form."""
    import lancedb

    folder = home / "index"
    tables = [path for path in folder.iterdir() if path.is_dir()]
    assert tables
    assert retrieval_index.index_summary(folder).chunks > 100
    rows: list[str] = []
    for path in tables:
        database = lancedb.connect(str(path))
        rows += [
            repr(database.open_table(name).to_arrow().to_pylist())
            for name in database.table_names()
        ]
    assert rows
    return "\n".join(rows).encode()
