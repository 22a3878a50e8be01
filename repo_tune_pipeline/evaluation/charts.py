"""Small SVG drawings for the report, as markup that carries no text of a repository."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from repo_tune_pipeline.evaluation.bootstrap import Interval

_WIDTH, _HEIGHT, _EDGE = 240, 26, 8
_CURVE_WIDTH, _CURVE_HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 34
_MAX_POINTS = 400


def interval_chart(interval: Interval, reach: float, direction: str) -> Markup:
    """A difference as a dot on its interval, with a line at zero.

    Args:
        reach: the value at either end of the axis; one for all the rows of a table.
        direction: `better`, `worse` or `undecided`: the drawing's class.
    """

    def x(value: float) -> float:
        half = _WIDTH / 2
        return half + (half - _EDGE) * value / (reach or 1.0)

    middle, low, high = _HEIGHT / 2, x(interval.low), x(interval.high)
    parts = [
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{middle}" y2="{middle}"/>',
        f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="2" y2="{_HEIGHT - 2}"/>',
        f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>',
        *(
            f'<line class="end" x1="{at:.1f}" x2="{at:.1f}" y1="{middle - 5}" y2="{middle + 5}"/>'
            for at in (low, high)
        ),
        f'<circle class="dot" cx="{x(interval.difference):.1f}" cy="{middle}" r="4.5"/>',
    ]
    label = f"{interval.difference:+.3f}, from {interval.low:+.3f} to {interval.high:+.3f}"
    return _svg(f"interval {direction}", _WIDTH, _HEIGHT, label, parts)


def bar(value: float, most: float, kind: str) -> Markup:
    """A value as a bar; `most` takes the whole width. `kind` is the drawing's class."""
    width = max(0.0, min(1.0, value / most)) * _WIDTH
    parts = [
        f'<rect class="track" x="0" y="4" width="{_WIDTH}" height="10" rx="3"/>',
        f'<rect class="amount" x="0" y="4" width="{width:.1f}" height="10" rx="3"/>',
    ]
    return _svg(f"bar {kind}", _WIDTH, 18, f"{value:.3f}", parts)


def reach_of(intervals: Sequence[Interval]) -> float:
    """An axis that holds all of `intervals` and zero in its middle."""
    return max((abs(end) for one in intervals for end in (one.low, one.high)), default=1.0)


def loss_curve(points: Sequence[tuple[float, float]]) -> Markup | None:
    """Training loss by step; None for fewer than two points."""
    finite = [point for point in points if all(math.isfinite(value) for value in point)]
    if len(finite) < 2:
        return None
    kept = _thinned(finite)
    steps = _ticks(kept[0][0], kept[-1][0], whole=True)
    losses = _ticks(min(loss for _, loss in kept), max(loss for _, loss in kept))
    span_x, span_y = (kept[0][0], kept[-1][0]), (losses[0], losses[-1])

    def x(step: float) -> float:
        return _scaled(step, span_x, _LEFT, _CURVE_WIDTH - _RIGHT)

    def y(loss: float) -> float:
        return _scaled(loss, span_y, _CURVE_HEIGHT - _BOTTOM, _TOP)

    line = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in kept)
    floor, right = _CURVE_HEIGHT - _BOTTOM, _CURVE_WIDTH - _RIGHT
    parts = [
        *(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
            f'<text class="tick" text-anchor="end" x="{_LEFT - 8}" y="{y(tick) + 4:.1f}">'
            f"{tick:g}</text>"
            for tick in losses
        ),
        *(
            f'<text class="tick" text-anchor="middle" x="{x(tick):.1f}" y="{floor + 18}">'
            f"{tick:g}</text>"
            for tick in steps
            if span_x[0] <= tick <= span_x[1]
        ),
        f'<text class="tick" text-anchor="end" x="{right}" y="{_CURVE_HEIGHT - 2}">step</text>',
        f'<polyline class="line" points="{line}"/>',
        f'<circle class="dot" cx="{x(kept[-1][0]):.1f}" cy="{y(kept[-1][1]):.1f}" r="4"/>',
    ]
    label = f"Training loss from {kept[0][1]:.3f} to {kept[-1][1]:.3f}"
    return _svg("curve", _CURVE_WIDTH, _CURVE_HEIGHT, label, parts)


def _svg(kind: str, width: int, height: int, label: str, parts: Sequence[str]) -> Markup:
    body = "".join(parts)
    return Markup(
        f'<svg class="{kind}" role="img" aria-label="{label}" viewBox="0 0 {width} {height}">'
        f"{body}</svg>"
    )


def _scaled(value: float, span: tuple[float, float], start: float, end: float) -> float:
    width = span[1] - span[0]
    return start + (end - start) * (value - span[0]) / width if width else (start + end) / 2


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about `_MAX_POINTS` points, the last one always among them."""
    stride = max(1, len(points) // _MAX_POINTS)
    kept = list(points[::stride])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Three to seven round numbers, from at most `low` to at least `high`."""
    rough = max((high - low) / 4, 1.0 if whole else 1e-6)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * at, 10) for at in range(first, max(last, first + 1) + 1)]
