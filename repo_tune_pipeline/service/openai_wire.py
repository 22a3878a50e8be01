"""What OpenAI's protocol says, as far as this service speaks it.

https://platform.openai.com/docs/api-reference/chat and …/completions. What a client sends beyond
this is left unread, as servers of this protocol do; answers are always greedy, so that the same
question has the same answer, whatever `temperature` is sent.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from repo_tune_pipeline.service.wire import Source, Whole

MAX_CHARS = 200_000


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    model: Annotated[str, Field(max_length=200, examples=["fine-tuned"])]
    max_tokens: Annotated[int, Field(ge=1, le=100_000), Whole] | None = None
    n: Annotated[Literal[1] | None, Whole] = None
    stop: Annotated[
        Annotated[str, Field(max_length=200)]
        | Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=16)]
        | None,
        Field(description="Texts before which the answer ends."),
    ] = None
    stream: bool = False

    @property
    def stops(self) -> tuple[str, ...]:
        stop = self.stop or []
        return (stop,) if isinstance(stop, str) else tuple(stop)


class TextPart(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: Literal["text"]
    text: Annotated[str, Field(max_length=MAX_CHARS)]


class Message(BaseModel):
    """A turn."""

    model_config = ConfigDict(extra="ignore", strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=MAX_CHARS)] | list[TextPart]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class ChatBody(_Asked):
    """A conversation. `retrieval` is this service's own: false asks the model alone."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=200)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=100_000), Whole] | None = None
    retrieval: bool = True
    repo: str = ""


class CompletionBody(_Asked):
    """A text to go on with; with `suffix`, a gap to fill."""

    prompt: Annotated[str, Field(max_length=MAX_CHARS)]
    suffix: Annotated[str, Field(max_length=MAX_CHARS)] | None = None


class ModelCard(BaseModel):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class TokenUsage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Said(BaseModel):
    """An answer's turn."""

    role: Literal["assistant"] = "assistant"
    content: str


class ChatChoice(BaseModel):
    """The one answer."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop", "length"]


class ChatAnswer(BaseModel):
    """A whole answer; `sources` is this service's own."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: TokenUsage
    sources: list[Source]


class TextChoice(BaseModel):
    """The one completion."""

    index: int = 0
    text: str
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class CompletionAnswer(BaseModel):
    """A whole completion."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: TokenUsage


class Failure(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """The protocol's form of an error."""

    error: Failure
