"""Who is let in, from where, with how much."""

import base64
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.exposure import require_token
from repo_tune_pipeline.service.app import create_app
from repo_tune_pipeline.settings import Settings
from repo_tune_pipeline_tests.service.serving import NO_DAGSTER, client, service

TOKEN = "correct horse battery staple"
JOB = "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1"


@pytest.fixture(scope="module")
def guarded(home):
    with service(home, token=TOKEN) as address:
        yield address


def routes(home) -> list[tuple[str, str]]:
    """Every method and path of the application: pages and files too, which no document lists."""
    app = create_app(home, Settings(), NO_DAGSTER, token=TOKEN)
    found: list[tuple[str, str]] = []
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount):
            folder = Path(route.original_route.app.directory)
            found += [("GET", f"{route.path}/{file.name}") for file in sorted(folder.iterdir())]
            continue
        path = route.path.replace("{job_id}", JOB).replace("{variant}", "main")
        found += [(method, path.replace("{model}", "base")) for method in sorted(route.methods)]
    return found


def test_every_route_but_health_asks_for_the_token(guarded, home):
    known = {"Authorization": f"Bearer {TOKEN}"}
    walked = routes(home)
    pages = {"/", "/ui/repos", f"/ui/jobs/{JOB}", "/docs", "/openapi.json", "/page/page.js"}
    assert {("GET", path) for path in pages} | {("POST", "/v1/completions")} <= set(walked)
    with client(guarded) as http:
        for method, path in [*walked, ("GET", "/nothing"), ("GET", "/page/../main.py")]:
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                answer = http.request(method, path, headers=headers)
                if path.startswith("/health"):
                    assert answer.status_code == 200
                    continue
                assert answer.status_code == 401, (method, path)
                assert "Bearer" in answer.headers["www-authenticate"]
            assert http.request(method, path, headers=known).status_code != 401, (method, path)


def test_a_browser_can_give_the_token_as_a_password(guarded):
    basic = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
    with client(guarded) as http:
        assert http.get("/repos", headers={"Authorization": f"Basic {basic}"}).status_code == 200
        assert http.get("/repos", headers={"Authorization": "Basic !!!"}).status_code == 401
        assert http.get("/repos", headers={"Authorization": "Basic /w=="}).status_code == 401


def test_another_sites_page_can_write_nothing_and_not_pretend_to_be_ours(url):
    asked = {"q": "split_header"}
    with client(url) as http:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Host": "evil.example"},
            {"Host": "127.0.0.1.evil.example:8000"},
        ):
            answer = http.post("/query", json=asked, headers=headers)
            assert answer.status_code == 403, headers
            assert answer.headers["content-type"] == "application/problem+json"
        assert "access-control-allow-origin" not in http.get("/repos").headers
        own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
        assert http.post("/query", json={**asked, "repo": "no/where"}, headers=own).is_success


def test_a_body_is_limited_whatever_its_length_is_said_to_be(url):
    big = json.dumps({"q": "x" * 1_100_000}).encode()

    def parts():
        for at in range(0, len(big), 50_000):
            yield big[at : at + 50_000]

    with client(url) as http:
        kind = {"Content-Type": "application/json"}
        assert http.post("/query", content=big, headers=kind).status_code == 413
    with client(url) as http:
        assert http.post("/query", content=parts(), headers=kind).status_code == 413
    with client(url) as http:
        assert http.get("/health").status_code == 200


def test_what_is_no_http_ends_no_service(url):
    where = urlsplit(url)
    for bytes in (b"\x00\xff" * 50, b"GET / HTTP/9.9\r\n\r\n", b"POST /query HTTP/1.1\r\nHost: x"):
        with socket.create_connection((where.hostname, where.port), 5) as connection:
            connection.sendall(bytes)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            while connection.recv(1_000):
                pass
    assert httpx.get(f"{url}/health", trust_env=False).is_success


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_beyond_this_machine_a_token_is_demanded(host):
    with pytest.raises(UsageError, match="REPO_TUNE_API_TOKEN"):
        require_token(host, "")
    require_token(host, TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1"])
def test_on_this_machine_none_is(host):
    require_token(host, "")


def test_no_answer_tells_of_this_machine_or_of_code_that_failed(url, home):
    with client(url) as http:
        for path in (f"/ingest/status/{JOB}", "/jobs", "/repos", "/models/info", "/nothing"):
            answer = http.get(path)
            assert "Traceback" not in answer.text
            assert str(home.root) not in answer.text
        refused = http.post("/ingest", json={"source": str(home.root)})
        assert refused.status_code == 403
        assert str(home.root) not in refused.text
        without_dagster = http.get(f"/ingest/status/{JOB}")
        assert without_dagster.status_code == 503
        assert "webserver" in without_dagster.json()["detail"]
