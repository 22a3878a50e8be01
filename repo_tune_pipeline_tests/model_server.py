"""A server on loopback that speaks Gemini's REST protocol and OpenAI's chat protocol.

It answers as the test says, so that the real client libraries run against every kind of failure.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """What the server does with one request.

    `finish` is in OpenAI's words, `gemini_finish` in Gemini's; `raw` replaces the whole body.
    """

    text: str = ""
    status: int = 200
    finish: str = "stop"
    gemini_finish: str = "STOP"
    blocked: bool = False
    reset: bool = False
    hang_seconds: float = 0.0
    raw: bytes | None = None
    message: str = "no"


@dataclass
class ModelServer:
    """`with ModelServer(answer) as server:`; `answer` gets the prompt and the request's number."""

    answer: Callable[[str, int], Answer]
    prompts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                owner.serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._lock = threading.Lock()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body: dict[str, Any] = json.loads(
            handler.rfile.read(int(handler.headers["Content-Length"]))
        )
        gemini = ":generateContent" in handler.path
        prompt = (
            body["contents"][0]["parts"][0]["text"] if gemini else body["messages"][0]["content"]
        )
        with self._lock:
            self.prompts.append(prompt)
            self.paths.append(handler.path)
            self.keys.append(
                handler.headers.get("x-goog-api-key") or handler.headers.get("Authorization") or ""
            )
            number = len(self.prompts)
        answer = self.answer(prompt, number)
        time.sleep(answer.hang_seconds)
        if answer.reset:
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
            handler.close_connection = True
            return
        data = answer.raw
        if data is None:
            data = json.dumps(_gemini(answer) if gemini else _openai(answer)).encode()
        handler.send_response(answer.status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


def material(prompt: str) -> list[str]:
    """The texts that a prompt of the teacher marks as material."""
    found = re.findall(
        r"--- material (\w+) begins ---\n(.*?)\n--- material \1 ends ---", prompt, re.DOTALL
    )
    return [text for _, text in found]


def _gemini(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"error": {"code": answer.status, "message": answer.message, "status": "NO"}}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}
    if answer.blocked:
        return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    content = {"parts": [{"text": answer.text}] if answer.text else [], "role": "model"}
    candidate = {"content": content, "finishReason": answer.gemini_finish, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage}


def _openai(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"error": {"message": answer.message, "type": "no"}}
    finish = "content_filter" if answer.blocked else answer.finish
    message = {"role": "assistant", "content": answer.text}
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20},
    }
