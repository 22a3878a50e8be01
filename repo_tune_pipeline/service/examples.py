"""What is asked and answered, as the OpenAPI document shows it beside each form.

Taken from a service over this project itself with the starter model, which is too small to write
good answers; ids are made up, and what is long ends with `…`.
"""

from __future__ import annotations

from typing import Any

from repo_tune_pipeline.service.wire import JOB_ID

_COMMIT = "04c67ce4fa8d57d8f5d066403deff1a4e78aee55"
_QUESTION = "How do I integrate Hyperswitch payments?"
_NO_CONSENT = (
    "Gemini would be sent the code that the search finds, and its unpaid tier may use what it is "
    "sent. Set `answering.i_may_send_this_code: true` if you may, or ask another model."
)
_QUERY = {"q": _QUESTION, "model": "fine-tuned"}
_SOURCE = {
    "repo": "repo-tune/repo-tune-pipeline",
    "commit": _COMMIT,
    "path": "repo_tune_pipeline_tests/sft/test_tasks.py",
    "start_line": 285,
    "end_line": 289,
    "symbol": "test_a_payment_topic_needs_a_payment_repository_or_several_payment_words",
    "score": 19.00237464904785,
}
_ANSWER = {
    "answer": "```, lines 127fbb8` is a function defined in `repo_tune_pipeline/…",
    "model": "main-4a78b1a53ade",
    "sources": [_SOURCE],
    "usage": {"prompt_tokens": 768, "completion_tokens": 256},
    "seconds": 2.14,
}
_INGEST = {
    "source": "https://github.com/juspay/hyperswitch-client-core",
    "name": "juspay/hyperswitch-client-core",
}
_FINE_TUNE = {"variant": "main", "profile": "starter", "max_steps": 400}
_EVALUATE = {"variant": "main", "placebo": True}
_STARTED = {"job_id": JOB_ID, "status_url": f"/ingest/status/{JOB_ID}"}
_JOB = {
    "job_id": JOB_ID,
    "kind": "fine-tune",
    "about": "main",
    "status": "succeeded",
    "stage": "qlora_adapter",
    "progress": 1.0,
    "training": None,
    "started_at": 1796019101.711067,
    "ended_at": 1796019450.949123,
    "error": None,
    "outputs": {
        "train": {
            "adapter": "adapters/main/4a78b1a53ade",
            "base_model": "starter",
            "log": "adapters/main/4a78b1a53ade/training.log",
            "profile": "starter",
            "run_id": JOB_ID,
            "seconds": 330.129,
            "steps": 400,
            "train_loss": 3.111466307193041,
            "variant": "main",
            "version": "4a78b1a53ade",
        }
    },
}
_JOBS = {"jobs": [_JOB], "next": None}
_METRICS = {
    "steps": [
        {
            "step": 2,
            "loss": 3.700770616531372,
            "learning_rate": 0.00015,
            "tokens_per_second": 1657.3591208329565,
        }
    ]
}
_REPOSITORIES = {
    "repos": [
        {
            "repo": "repo-tune/repo-tune-pipeline",
            "source": "repo_tune_pipeline",
            "ref": "",
            "commit": _COMMIT,
            "files": {
                "seen": 605,
                "kept": 526,
                "dropped": {
                    "binary": 3,
                    "data": 28,
                    "empty": 14,
                    "language_not_supported": 33,
                    "license_not_allowed": 1,
                },
            },
            "chunks": 4496,
        }
    ]
}
_NOT_LOCAL = {"version": "", "base_model": "", "is_champion": False, "verdict": None}
_MODELS = {
    "default": "fine-tuned",
    "models": [
        {
            "id": "fine-tuned",
            "kind": "fine-tuned",
            "variant": "main",
            "available": True,
            "reason": "",
            "version": "4a78b1a53ade",
            "base_model": "starter",
            "is_champion": True,
            "verdict": {
                "decision": "promote",
                "reasons": [
                    "On 300 held-out examples from 67 files the adapter needs 0.380 bits per byte "
                    "fewer than the base model, 22.9 % (95 % interval −0.431 to −0.331)."
                ],
            },
        },
        {
            "id": "gemini",
            "kind": "gemini",
            "variant": "",
            "available": False,
            "reason": _NO_CONSENT,
            **_NOT_LOCAL,
        },
    ],
}
_HEALTH = {"status": "ok", "dagster": True, "index": True}
_CHAT = {
    "model": "fine-tuned",
    "messages": [{"role": "user", "content": _QUESTION}],
    "max_tokens": 48,
}
_COMPLETION = {"model": "base", "prompt": "def split_header(line):\n", "max_tokens": 24}
_MODEL_CARD = {"id": "base", "object": "model", "created": 1796020050, "owned_by": "repo-tune"}
_MODEL_LIST = {"object": "list", "data": [{**_MODEL_CARD, "id": "fine-tuned"}, _MODEL_CARD]}
_CHAT_ANSWER = {
    "id": "chatcmpl-04e974c83876422199172f286a79a4b3",
    "object": "chat.completion",
    "created": 1796020081,
    "model": "fine-tuned",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "--- `repo_tune8c` is a function defined in `repo_tune8c/models/…",
            },
            "finish_reason": "length",
        }
    ],
    "usage": {"prompt_tokens": 947, "completion_tokens": 48, "total_tokens": 995},
    "sources": [_SOURCE],
}
_COMPLETION_ANSWER = {
    "id": "cmpl-95c0858d6e35482586cbe9a122084895",
    "object": "text_completion",
    "created": 1796020082,
    "model": "base",
    "choices": [
        {
            "index": 0,
            "text": "# This is the following code from the following:\n\n# This is …",
            "finish_reason": "length",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 6, "completion_tokens": 24, "total_tokens": 30},
}
_ERROR = {
    "error": {
        "message": "There is no model 'nothing' here; `/v1/models` lists them.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "QueryBody": _QUERY,
    "QueryAnswer": _ANSWER,
    "IngestBody": _INGEST,
    "FineTuneBody": _FINE_TUNE,
    "EvaluateBody": _EVALUATE,
    "Started": _STARTED,
    "JobStatus": _JOB,
    "JobPage": _JOBS,
    "JobMetrics": _METRICS,
    "Repositories": _REPOSITORIES,
    "Models": _MODELS,
    "Health": _HEALTH,
    "ChatBody": _CHAT,
    "ChatAnswer": _CHAT_ANSWER,
    "CompletionBody": _COMPLETION,
    "CompletionAnswer": _COMPLETION_ANSWER,
    "ModelList": _MODEL_LIST,
    "ModelCard": _MODEL_CARD,
    "ErrorAnswer": _ERROR,
}
"""By the name of the form in the document."""
