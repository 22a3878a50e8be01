"""What a user finds after `repo-tune run` on a real repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from repo_tune_pipeline_tests.end_to_end.conftest import STEPS, Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, environment, git, repo_tune


def _lines(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_every_stage_prints_the_keys_that_other_programs_read(walk: Walk) -> None:
    assert list(walk.result) == ["ingest", "generate_data", "train", "evaluate"]
    ingested = walk.result["ingest"][0]
    assert {"repo", "commit", "files", "chunks", "run_id", "seconds"} <= set(ingested)
    assert ingested["commit"] == walk.commit
    assert {
        "sft", "readable", "heldout", "manifest", "examples", "by_task", "by_repo", "dropped",
        "run_id", "seconds",
    } <= set(walk.result["generate_data"])  # fmt: skip
    assert {
        "adapter", "version", "variant", "base_model", "profile", "steps", "train_loss", "log",
        "run_id", "seconds",
    } <= set(walk.result["train"])  # fmt: skip
    assert {"report_html", "report_json", "verdict", "cells", "run_id", "seconds"} <= set(
        walk.result["evaluate"]
    )
    assert walk.result["train"]["steps"] == STEPS


def test_every_file_of_the_commit_is_kept_or_dropped_with_a_reason(walk: Walk) -> None:
    files = walk.result["ingest"][0]["files"]
    listed = git(walk.repository, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert files["seen"] == len(listed) == files["kept"] + sum(files["dropped"].values())
    assert {"lockfile", "binary", "symlink"} <= set(files["dropped"])


def test_an_example_quotes_the_lines_that_it_names(walk: Walk) -> None:
    data = walk.result["generate_data"]
    completions = [
        example
        for example in _lines(data["sft"]) + _lines(data["heldout"])
        if example["meta"]["task"] == "code_completion"
    ]
    assert len(completions) > 20
    for example in completions:
        meta = example["meta"]
        text = git(walk.repository, "show", f"{meta['commit']}:{meta['path']}")
        source = "\n".join(text.split("\n")[meta["start_line"] - 1 : meta["end_line"]])
        assert " ".join(example["output"].split()) in " ".join(source.split())


def test_no_file_stands_on_both_sides(walk: Walk) -> None:
    data = walk.result["generate_data"]
    sides = [{e["meta"]["path"] for e in _lines(data[key])} for key in ("sft", "heldout")]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_the_adapter_loads_with_plain_peft_outside_this_package(walk: Walk, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import json, sys
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer
        folder = sys.argv[1]
        base = json.load(open(folder + "/adapter_config.json"))["base_model_name_or_path"]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
        ids = tokenizer("def main():", return_tensors="pt")
        print(model.generate(**ids, max_new_tokens=5).shape[1] > ids["input_ids"].shape[1])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, walk.result["train"]["adapter"]],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "True", done.stderr


def test_the_version_keeps_what_is_needed_to_repeat_it(walk: Walk) -> None:
    folder = Path(walk.result["train"]["adapter"])
    names = {path.name for path in folder.iterdir()}
    assert {
        "adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "axolotl.yaml",
        "training.log", "metrics.jsonl", "run.json",
    } <= names  # fmt: skip
    run = json.loads((folder / "run.json").read_text())
    assert walk.commit in json.dumps(run["repositories"])
    steps = [line["step"] for line in _lines(str(folder / "metrics.jsonl"))]
    assert steps == sorted(steps)
    assert steps[-1] == STEPS


def test_it_is_exported_with_its_verdict_and_with_how_to_serve_it(
    walk: Walk, tmp_path: Path
) -> None:
    for form in ("adapter", "merged"):
        target = tmp_path / form
        done = repo_tune("export", form, "--output", target, "--json", home=walk.home)
        assert done.code == 0, done.err
        assert done.result["output"] == str(target)
        assert done.result["vllm"].startswith("vllm serve ")
        verdict = walk.result["evaluate"]["verdict"]["decision"]
        assert f"## Verdict\n\n{verdict}. " in (target / "README.md").read_text()
    assert (tmp_path / "merged" / "model.safetensors").stat().st_size > 1_000_000
    again = repo_tune("export", "merged", "--output", tmp_path / "merged", home=walk.home)
    assert again.code == 2
    assert "is already there" in again.err
    missing = repo_tune(
        "export", "adapter", "--output", tmp_path / "x", "--version", "0" * 12, home=walk.home
    )
    assert missing.code == 2
    assert f"Versions: {walk.result['train']['version']}" in missing.err


def test_the_report_compares_base_and_adapter(walk: Walk) -> None:
    report = json.loads(Path(walk.result["evaluate"]["report_json"]).read_text())
    assert {
        "verdict", "cells", "differences", "general", "memorisation", "parity", "dataset",
        "adapter", "settings",
    } <= set(report)  # fmt: skip
    for cell in ("base", "adapter"):
        for context in ("plain", "retrieval"):
            assert report["cells"][cell][context]["all"]["bits_per_byte"]["value"] > 0
    assert report["cells"]["adapter"]["plain"]["all"]["grounding"]["n"] > 0
    assert report["leaks"]["learned"] == 0
    assert any(
        d["metric"] == "bits_per_byte" and d["task"] == "all" and d["low"] <= d["high"]
        for d in report["differences"]
    )


def test_what_is_served_is_what_was_trained_and_a_changed_weight_is_noticed(
    walk: Walk, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    from repo_tune_pipeline.evaluation.parity import measure_parity

    adapter = Path(walk.result["train"]["adapter"])
    told = json.loads(Path(walk.result["evaluate"]["report_json"]).read_text())["parity"]
    assert told["prompts"] == told["answers_alike"] == 32
    assert told["agree"]
    assert told["trained_to_reloaded"] < 0.001

    changed = shutil.copytree(adapter, tmp_path / "changed")
    weights = load_file(changed / "adapter_model.safetensors")
    doubled = {name: value * 2 for name, value in weights.items()}
    save_file(doubled, changed / "adapter_model.safetensors")
    run = json.loads((adapter / "run.json").read_text())
    after = measure_parity(run["base_path"], changed, tmp_path)
    assert not after["agree"]
    assert after["trained_to_reloaded"] > after["tolerance"]
    assert after["served_to_merged"] < 0.001


def test_running_again_does_nothing_and_says_so(walk: Walk) -> None:
    done = walk.again()
    assert done.code == 0, done.err
    assert done.result == walk.result
    assert done.err.count("unchanged, nothing done") == 4


def test_another_folder_and_hash_seed_give_the_same_bytes(walk: Walk, tmp_path: Path) -> None:
    place = tmp_path / "somewhere else"
    place.mkdir()
    home = place / "home"
    common = {"home": home, "cwd": place, "PYTHONHASHSEED": "4242"}
    assert repo_tune("ingest", walk.repository, "--config", walk.config, **common).code == 0
    done = repo_tune("generate-data", "--config", walk.config, "--json", **common)
    assert done.code == 0, done.err
    for key in ("sft", "heldout", "readable", "manifest"):
        first = Path(walk.result["generate_data"][key])
        assert Path(done.result[key]).read_bytes() == first.read_bytes()


def test_neither_the_command_line_nor_dagster_s_side_loads_torch() -> None:
    for module in ("repo_tune_pipeline.cli.main", "repo_tune_pipeline.definitions"):
        heavy = "{'torch', 'transformers', 'peft', 'axolotl', 'datasets', 'lancedb'}"
        program = f"import {module}, sys; print({heavy} & set(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "set()"
