"""Pushing an export: the real client against a hub of this machine that speaks its protocol."""

import base64
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

REPO = "team/main-adapter"
CARD = "---\nlibrary_name: peft\n---\n\n# main-0123456789ab\n"
WEIGHTS = b"\x02\0\0\0\0\0\0\0{}"


class Hub(BaseHTTPRequestHandler):
    """Takes every file within the commit, and remembers who asked for what."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.asked.append((self.path, self.headers.get("authorization"), body))
        self._answer(200, self._answers(body))

    def do_GET(self) -> None:
        self._answer(404, {"error": "none"})

    def _answers(self, body: str) -> dict:
        address = f"http://{self.headers['host']}/{REPO}"
        if self.path.endswith("/preupload/main"):
            files = json.loads(body)["files"]
            return {
                "files": [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in files
                ]
            }
        if self.path.endswith("/commit/main"):
            commit = f"{address}/commit/{'a' * 40}"
            return {"success": True, "commitUrl": commit, "commitOid": "a" * 40}
        return {"url": address, "name": REPO, "id": "1", "errors": [], "warnings": []}

    def _answer(self, code: int, told: dict) -> None:
        data = json.dumps(told).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments) -> None:
        pass


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def exported(tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "adapter_model.safetensors").write_bytes(WEIGHTS)
    return folder


def push(folder, endpoint: str, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "repo_tune_pipeline.cli", "export", "push", folder, REPO, *more],
        env={"PATH": "/usr/bin", "HOME": str(folder.parent), "HF_ENDPOINT": endpoint}
        | {"HF_TOKEN": "hf_of_a_test", "HF_HUB_DISABLE_XET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("public", [False, True])
def test_a_folder_is_pushed_whole_and_private_unless_asked(hub, exported, public):
    endpoint = f"http://127.0.0.1:{hub.server_address[1]}"
    done = push(exported, endpoint, "--json", *(["--public"] if public else []))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["url"] == f"{endpoint}/{REPO}"
    asked = {path: body for path, _token, body in hub.asked}
    assert {token for _path, token, _body in hub.asked} <= {"Bearer hf_of_a_test", None}
    visibility = json.loads(asked["/api/repos/create"])["visibility"]
    assert visibility == ("public" if public else "private")
    rows = [json.loads(row) for row in asked[f"/api/models/{REPO}/commit/main"].splitlines()]
    sent = {
        row["value"]["path"]: base64.b64decode(row["value"]["content"])
        for row in rows
        if row["key"] == "file"
    }
    assert sent == {"README.md": CARD.encode(), "adapter_model.safetensors": WEIGHTS}


def test_a_hub_that_cannot_be_reached_is_one_error(exported):
    done = push(exported, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert f"can't be pushed to {REPO}" in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert "hf_of_a_test" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_export_is_refused(tmp_path):
    done = push(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "isn't an exported adapter or model" in done.stderr
