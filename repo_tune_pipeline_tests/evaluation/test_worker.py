import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import dagster as dg
import orjson
import pytest

from repo_tune_pipeline.artifacts import Home, read_json, write_json
from repo_tune_pipeline.device import WAITS, held_device
from repo_tune_pipeline.errors import BaseModelError, EvaluationError
from repo_tune_pipeline.evaluation import (
    EvaluationPlan,
    finished_evaluation,
    prepare_evaluation,
)
from repo_tune_pipeline.evaluation.worker import evaluate, main
from repo_tune_pipeline.settings import PromotionSettings, Settings, VariantSettings
from repo_tune_pipeline_tests.evaluation.worlds import (
    COMMIT,
    QUICK,
    World,
    make_adapter,
    some_examples,
    write_dataset,
)

CHECKOUT = Path(__file__).parents[2]
PROSE = {"bits_per_byte", "loss", "chrf", "rouge_l", "grounding"}
REPORT_KEYS = {
    "verdict",
    "cells",
    "differences",
    "languages",
    "recent",
    "general",
    "memorisation",
    "leaks",
    "parity",
    "dataset",
    "adapter",
    "placebo",
    "gemini",
    "settings",
}


def evaluated(plan: EvaluationPlan) -> dict:
    assert main([str(prepare_evaluation(plan))]) == 0
    folder = finished_evaluation(plan)
    assert folder is not None
    return read_json(folder / "report.json")


@pytest.fixture(scope="module")
def through_dagster(world: World, taught_adapter: Path) -> tuple[EvaluationPlan, dict, str]:
    """The taught adapter, evaluated by a process that Dagster started: plan, metadata, version."""
    plan = world.plan(taught_adapter)

    @dg.asset
    def evaluation_report(context: dg.AssetExecutionContext):
        module = "repo_tune_pipeline.evaluation.worker"
        command = [sys.executable, "-m", module, str(prepare_evaluation(plan))]
        run = dg.PipesSubprocessClient().run(context=context, command=command)
        return run.get_materialize_result(implicit_materialization=False)

    result = dg.materialize([evaluation_report])
    [event] = result.asset_materializations_for_node("evaluation_report")
    return plan, dict(event.metadata), event.tags["dagster/data_version"]


def test_an_evaluation_waits_while_a_training_has_the_device(
    world: World, taught_adapter: Path
) -> None:
    plan = world.plan(taught_adapter)
    with ThreadPoolExecutor(1) as thread:
        with held_device(Home(plan.home), print):
            told: Queue[str] = Queue()
            evaluation = thread.submit(evaluate, plan, told.put)
            assert told.get(timeout=60) == WAITS
            assert not evaluation.done()
        assert evaluation.result(timeout=300).verdict.decision == "promote"


def test_an_adapter_that_knows_the_heldout_texts_is_promoted(through_dagster) -> None:
    plan, _, _ = through_dagster
    report = read_json(plan.folder / "report.json")
    whole = next(
        one
        for one in report["differences"]
        if (one["minuend"], one["subtrahend"], one["context"], one["subtrahend_context"])
        == ("adapter", "base", "plain", "plain")
        and (one["task"], one["metric"]) == ("all", "bits_per_byte")
    )

    assert report["verdict"]["decision"] == "promote"
    assert whole["low"] <= whole["difference"] <= whole["high"] < 0
    assert "fewer than the base" in report["verdict"]["reasons"][0]
    assert report["languages"]["Python"]["difference"] == pytest.approx(whole["difference"])


def test_the_report_has_the_keys_that_others_rely_on(through_dagster) -> None:
    plan, _, _ = through_dagster
    report = read_json(plan.folder / "report.json")

    assert set(report) == REPORT_KEYS
    assert set(report["verdict"]) == {"decision", "reasons"}
    assert {model: set(contexts) for model, contexts in report["cells"].items()} == {
        "base": {"plain", "retrieval"},
        "adapter": {"plain", "retrieval"},
    }
    for contexts in report["cells"].values():
        for cell in contexts.values():
            assert set(cell) == {"all", "code_completion", "code_explanation"}
            assert set(cell["code_explanation"]) <= PROSE
            assert {"edit_similarity", "exact_match", "identifier_f1"} < set(cell["all"])
            assert cell["all"]["loss"].keys() == {"value", "n"}
    compared = {
        (one["minuend"], one["subtrahend"], one["context"], one["subtrahend_context"])
        for one in report["differences"]
    }
    assert compared == {
        ("adapter", "base", "plain", "plain"),
        ("adapter", "base", "retrieval", "retrieval"),
        ("adapter", "base", "plain", "retrieval"),
        ("base", "base", "retrieval", "plain"),
        ("adapter", "adapter", "retrieval", "plain"),
    }
    assert {"task", "metric", "difference", "low", "high", "n"} < set(report["differences"][0])
    assert set(report["general"]) == {"code", "prose", "all", "completion", "texts_sha256"}
    assert report["memorisation"]["secrets"] == 0
    assert report["leaks"]["learned"] is None
    assert report["settings"]["counts"]["retrieval"]["examples_with_passages"] == 36
    assert report["dataset"]["repositories"] == {"acme/ledger": COMMIT}
    assert report["settings"]["counts"]["scored"] == 36


def test_dagster_is_shown_the_verdict_and_the_content_digest(through_dagster) -> None:
    plan, metadata, data_version = through_dagster
    values = {key: value.value for key, value in metadata.items()}

    assert values["verdict"] == "promote"
    assert values["bits_per_byte_adapter"] < values["bits_per_byte_base"]
    assert values["bits_per_byte_base_with_retrieval"] > 0
    assert values["report_html"] == str(plan.folder / "report.html")
    assert "| Bits per byte | All tasks | 36 |" in values["summary"]
    assert len(data_version) == 64
    assert (plan.folder.parent / "latest").resolve() == plan.folder


def test_no_form_of_the_report_tells_where_things_lie(through_dagster, world: World) -> None:
    plan, _, _ = through_dagster

    for name in ("report.json", "report.html", "report.md", "timings.json"):
        text = (plan.folder / name).read_text(encoding="utf-8")
        assert str(world.root) not in text, name
        assert str(CHECKOUT) not in text, name
    assert f"against its base model `{world.base.name}`" in (plan.folder / "report.md").read_text()


def test_the_numbers_can_be_recomputed_from_the_predictions(through_dagster) -> None:
    plan, _, _ = through_dagster
    report = read_json(plan.folder / "report.json")
    lines = (plan.folder / "predictions.jsonl").read_bytes().splitlines()
    rows = [orjson.loads(line) for line in lines]

    for model, contexts in report["cells"].items():
        for context, cell in contexts.items():
            given = [row["cells"][model][context]["terms"] for row in rows]
            bits = sum(terms["bits_per_byte"][0] for terms in given)
            whole = bits / sum(row["bytes"] for row in rows)
            assert cell["all"]["bits_per_byte"]["value"] == pytest.approx(whole)
            answered = [row for row in rows if "text" in row["cells"][model][context]]
            assert len(answered) == QUICK.max_generations
            assert all(row["compared"] and row["sources"] for row in answered)


def test_a_base_model_against_itself_is_never_promoted_and_gives_the_same_bytes_twice(
    world: World, idle_adapter: Path
) -> None:
    plan = world.plan(idle_adapter)
    report = evaluated(plan)
    first = _of_its_inputs(plan)

    assert report["verdict"]["decision"] == "hold"
    same = [
        one
        for one in report["differences"]
        if (one["minuend"], one["subtrahend"]) == ("adapter", "base")
        and one["context"] == one["subtrahend_context"]
    ]
    assert same
    assert all(one["low"] == one["high"] == 0 for one in same)
    assert "can't be told from the base" in " ".join(report["verdict"]["reasons"])
    evaluated(plan)
    assert _of_its_inputs(plan) == first


def _of_its_inputs(plan: EvaluationPlan) -> dict[str, bytes]:
    """The files that don't tell how long it took."""
    names = ("report.json", "report.md", "predictions.jsonl")
    return {name: (plan.folder / name).read_bytes() for name in names}


def test_too_few_files_are_held_whatever_they_say(world: World, taught_adapter: Path) -> None:
    few = write_dataset(world.root / "few", some_examples()[:6])

    report = evaluated(world.plan(taught_adapter, dataset=few))

    assert report["verdict"]["decision"] == "hold"
    reasons = " ".join(report["verdict"]["reasons"])
    assert "Only 6 held-out examples" in reasons
    assert "Only 6 held-out files" in reasons


def test_a_plan_survives_its_file_and_changes_with_what_the_numbers_depend_on(
    world: World, idle_adapter: Path, taught_adapter: Path
) -> None:
    plan = world.plan(idle_adapter)

    assert EvaluationPlan.from_json(orjson.loads(prepare_evaluation(plan).read_bytes())) == plan
    others = [
        world.plan(taught_adapter),
        world.plan(idle_adapter, filter=VariantSettings(languages=("Python",))),
        world.plan(idle_adapter, settings=QUICK.model_copy(update={"seed": 1})),
        world.plan(idle_adapter, dataset=write_dataset(world.root / "other", some_examples(20))),
        world.plan(idle_adapter, placebo=taught_adapter),
        world.plan(
            idle_adapter,
            whole=Settings(promotion=PromotionSettings(min_examples=21)),
        ),
    ]
    assert len({plan.version, *(other.version for other in others)}) == 7


def test_a_variant_without_examples_ends_with_its_counts_and_no_report(
    world: World, idle_adapter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = world.plan(idle_adapter, filter=VariantSettings(languages=("Rust",)))

    assert main([str(prepare_evaluation(plan))]) == 1

    said = read_json(plan.work_dir / "error.json")
    assert "36 not of this variant" in str(said["problem"])
    assert "Traceback" not in capsys.readouterr().err
    assert finished_evaluation(plan) is None


def test_an_adapter_of_another_base_model_is_refused(world: World, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", world.base)
    run = read_json(adapter / "run.json")
    write_json(adapter / "run.json", {**run, "base_digest": "0" * 64})

    with pytest.raises(BaseModelError, match="has changed since"):
        world.plan(adapter)


def test_a_folder_without_an_adapter_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"adapter_model\.safetensors"):
        world.plan(tmp_path)


def test_an_adapter_whose_training_diverged_is_named_as_broken(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    adapter = make_adapter(tmp_path / "adapter", world.base)
    weights = load_file(adapter / "adapter_model.safetensors")
    broken = {name: torch.full_like(values, torch.nan) for name, values in weights.items()}
    save_file(broken, adapter / "adapter_model.safetensors")

    assert main([str(prepare_evaluation(world.plan(adapter)))]) == 1
    assert "The adapter gives probabilities that aren't numbers" in capsys.readouterr().err
