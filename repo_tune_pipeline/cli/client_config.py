"""`repo-tune client-config`: what to put into an editor or a chat client so that it asks us."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, JsonOption, Place
from repo_tune_pipeline.errors import UsageError

_TOKEN = "REPO_TUNE_API_TOKEN"

# The keys are those of https://docs.continue.dev/reference, of
# https://tabby.tabbyml.com/docs/references/models-http-api/openai/ and of
# https://aider.chat/docs/llms/openai-compat.html.
_CONTINUE = """\
# ~/.continue/config.yaml
name: repo-tune
version: 0.0.1
schema: v1
models:
  - name: repo-tune
    provider: openai
    model: {model}
    apiBase: {url}/v1
    apiKey: ${{{{ secrets.{token} }}}}
    roles: [chat, edit]
  - name: repo-tune completion
    provider: openai
    model: {model}
    apiBase: {url}/v1
    apiKey: ${{{{ secrets.{token} }}}}
    useLegacyCompletionsEndpoint: true
    roles: [autocomplete]
"""
_TABBY = """\
# ~/.tabby/config.toml
[model.chat.http]
kind = "openai/chat"
model_name = "{model}"
api_endpoint = "{url}/v1"
api_key = "the value of {token}"

[model.completion.http]
kind = "openai/completion"
model_name = "{model}"
api_endpoint = "{url}/v1"
api_key = "the value of {token}"
"""
_AIDER = """\
# In the shell, in your repository
export OPENAI_API_BASE={url}/v1
export OPENAI_API_KEY="${{{token}:-none}}"
aider --model openai/{model}
"""


class Client(StrEnum):
    """A client that speaks OpenAI's protocol."""

    CONTINUE = "continue"
    TABBY = "tabby"
    AIDER = "aider"


_SNIPPETS = {Client.CONTINUE: _CONTINUE, Client.TABBY: _TABBY, Client.AIDER: _AIDER}


def client_config(
    client: Annotated[Client, typer.Argument(help="Which one.")],
    url: Annotated[str, typer.Option("--url", help="Where the service answers.")] = (
        "http://127.0.0.1:8000"
    ),
    model: Annotated[
        str, typer.Option("--model", help="As `GET /v1/models` lists them.")
    ] = "fine-tuned",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a client needs in its own configuration."""
    place = Place.of(config, home)
    variant = model.partition(":")[2]
    if variant and variant not in place.settings.variants:
        known = ", ".join(sorted(place.settings.variants))
        raise UsageError(f"No variant is called {variant}.", f"The configuration has {known}.")
    snippet = _SNIPPETS[client].format(url=url.rstrip("/"), model=model, token=_TOKEN)
    if json:
        Display(json=True).result({"client": client.value, "model": model, "snippet": snippet})
    else:
        typer.echo(snippet, nl=False)
