"""Dagster's webserver as this service uses it: GraphQL over HTTP.

https://docs.dagster.io/api/graphql has the protocol. Reading runs this way too, and not from the
instance, keeps Dagster out of this process, and one program in charge of its database.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, cast

import httpx

from repo_tune_pipeline.errors import DagsterError

_SECONDS = 30.0
_PAGE = 100
"""Runs in one answer."""

_REPOSITORIES = """
{ repositoriesOrError { ... on RepositoryConnection {
    nodes { name location { name } jobs { name } } } ... on PythonError { message } } }
"""
_INSTANCE = "{ version instance { info } }"
_LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message } } }
"""
_ADD_PARTITION = """
mutation Add($in: RepositorySelector!, $set: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $in, partitionsDefName: $set, partitionKey: $key) {
    __typename ... on PythonError { message } } }
"""
_TERMINATE = """
mutation End($run: String!, $policy: TerminateRunPolicy) {
  terminateRun(runId: $run, terminatePolicy: $policy) {
    __typename } }
"""
_RUN = """fragment R on Run {
    runId jobName status creationTime startTime endTime tags { key value }
    assetSelection { path }
    repositoryOrigin { id }
    stepStats { stepKey status startTime endTime } }"""
_ONE_RUN = f"query One($run: ID!) {{ runOrError(runId: $run) {{ __typename ...R }} }} {_RUN}"
_RUNS = f"""query Some($filter: RunsFilter, $limit: Int, $cursor: String) {{
  runsOrError(filter: $filter, limit: $limit, cursor: $cursor) {{
    ... on Runs {{ results {{ ...R }} }} ... on Error {{ message }} }} }} {_RUN}"""
_FAILURE = """query Why($run: ID!, $after: String) { runOrError(runId: $run) { ... on Run {
    eventConnection(afterCursor: $after, limit: 1000) { cursor hasMore events { __typename
      ... on ExecutionStepFailureEvent { stepKey error { message cause { message } }
        failureMetadata { metadataEntries { label ... on TextMetadataEntry { text } } } }
      ... on RunFailureEvent { message error { message } } } } } } }"""

Run = Mapping[str, Any]


class Dagster:
    """A client of one webserver. Safe for many tasks at once; `close` ends it."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/graphql"
        self._client = httpx.AsyncClient(timeout=_SECONDS, trust_env=False)
        self._selector: dict[str, str] | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def instance(self) -> str:
        """What the webserver tells of its instance: YAML with its folders.

        Raises:
            DagsterError: it doesn't answer.
        """
        return str((await self._ask(_INSTANCE, {}))["instance"]["info"])

    async def launch(self, job: str, config: Mapping[str, object], tags: Mapping[str, str]) -> str:
        """Queue a run of `job`.

        Returns:
            The run's id.

        Raises:
            DagsterError: the webserver doesn't answer, or refuses the configuration.
        """
        params = {
            "selector": {**await self._repository(), "jobName": job},
            "runConfigData": config,
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in tags.items()]
            },
        }
        told = (await self._ask(_LAUNCH, {"params": params}))["launchRun"]
        if told["__typename"] != "LaunchRunSuccess":
            said = told.get("message") or "; ".join(one["message"] for one in told["errors"])
            raise DagsterError(f"Dagster doesn't start {job}: {_first_line(said)}.")
        return str(told["run"]["runId"])

    async def add_partition(self, name: str, key: str) -> None:
        """Make `key` one of the dynamic partitions `name`; one that is there stays.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        repository = await self._repository()
        await self._ask(_ADD_PARTITION, {"in": repository, "set": name, "key": key})

    async def terminate(self, run_id: str, *, at_once: bool = False) -> bool:
        """End a run; `at_once` marks it as ended without waiting for its process.

        A run that Dagster didn't launch is only marked: its process isn't Dagster's to end.

        Returns:
            Whether it is being ended.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        policy = "MARK_AS_CANCELED_IMMEDIATELY" if at_once else "SAFE_TERMINATE"
        told = (await self._ask(_TERMINATE, {"run": run_id, "policy": policy}))["terminateRun"]
        return told["__typename"] == "TerminateRunSuccess"

    async def run(self, run_id: str) -> Run | None:
        """A run, with its tags and the state of its steps; None where there is none.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        told = (await self._ask(_ONE_RUN, {"run": run_id}))["runOrError"]
        return told if told["__typename"] == "Run" else None

    async def runs(
        self,
        *,
        statuses: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        limit: int = 50,
        before: str = "",
    ) -> list[Run]:
        """Runs, the newest first; of some statuses, with these tags.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        wanted: dict[str, object] = {}
        if statuses:
            wanted["statuses"] = list(statuses)
        if tags:
            wanted["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        variables = {"filter": wanted, "limit": limit, "cursor": before or None}
        told = (await self._ask(_RUNS, variables))["runsOrError"]
        if "results" not in told:
            raise DagsterError(f"Dagster lists no runs: {_first_line(told['message'])}.")
        return told["results"]

    async def all_runs(self, statuses: Sequence[str]) -> list[Run]:
        """All runs of some statuses, the newest first.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        found = page = await self.runs(statuses=statuses, limit=_PAGE)
        while len(page) == _PAGE:
            page = await self.runs(statuses=statuses, limit=_PAGE, before=page[-1]["runId"])
            found = [*found, *page]
        return found

    async def failure(self, run_id: str) -> str:
        """Why a run failed, as the step that did says it; empty where nothing was recorded.

        Raises:
            DagsterError: the webserver doesn't answer.
        """
        last = ""
        async for event in self._events(run_id):
            if event["__typename"] == "ExecutionStepFailureEvent":
                return _said(event)
            if event["__typename"] == "RunFailureEvent":
                last = _first_line(event["message"])
        return last

    async def _events(self, run_id: str) -> AsyncGenerator[Mapping[str, Any]]:
        """What a run recorded, the oldest first: of a failure its reason, of all else its kind."""
        after: str | None = None
        while True:
            told = await self._ask(_FAILURE, {"run": run_id, "after": after})
            page = cast("dict[str, Any]", told["runOrError"].get("eventConnection") or {})
            for event in page.get("events", []):
                yield event
            if not page.get("hasMore"):
                return
            after = str(page["cursor"])

    async def _repository(self) -> dict[str, str]:
        if self._selector is None:
            nodes = (await self._ask(_REPOSITORIES, {}))["repositoriesOrError"].get("nodes", [])
            for node in nodes:
                if any(job["name"] == "ingest_job" for job in node["jobs"]):
                    self._selector = {
                        "repositoryName": node["name"],
                        "repositoryLocationName": node["location"]["name"],
                    }
        if self._selector is None:
            raise DagsterError(
                "Dagster's webserver hasn't loaded this pipeline.",
                "Look at its page: Deployment, Code locations.",
            )
        return self._selector

    async def _ask(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        try:
            answer = await self._client.post(self._url, json=body)
            told = cast("dict[str, Any]", answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise DagsterError(
                f"Dagster's webserver doesn't answer: {type(error).__name__}.",
                "Is it running? `repo-tune serve` starts one, `repo-tune ui` too.",
            ) from None
        if told.get("errors"):
            raise DagsterError(f"Dagster refuses: {_first_line(told['errors'][0]['message'])}.")
        return cast("dict[str, Any]", told["data"])


def _said(event: Mapping[str, Any]) -> str:
    entries = (event.get("failureMetadata") or {}).get("metadataEntries", [])
    told = {entry["label"]: entry.get("text", "") for entry in entries}
    if "problem" in told:
        return f"{told['problem']} {told.get('remedy', '')}".strip()
    error = event.get("error") or {}
    cause = error.get("cause") or {}
    return _first_line(cause.get("message") or error.get("message") or "")


def _first_line(text: str) -> str:
    lines = str(text).strip().splitlines() or ["no reason was recorded"]
    return lines[0].rstrip(".")
