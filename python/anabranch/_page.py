"""A model as HTML, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._model import Model


def _escape(text: str) -> str:
    import html

    return html.escape(text)


def split(expression: str) -> list[str]:
    """The items of an argument list, at its top level."""
    items, depth, start = [], 0, 0
    for i, letter in enumerate(expression):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            items.append(expression[start:i])
            start = i + 1
    return [item.strip() for item in items + [expression[start:]] if item.strip()]


def _tree(expression: str) -> str:
    name, _, rest = expression.partition("(")
    items = split(rest[:-1]) if rest else []
    options = [item for item in items if "=" in item.split("(")[0]]
    children = [item for item in items if item not in options]
    text = f"<b>{_escape(name)}</b> <small>{_escape(', '.join(options))}</small>"
    if not children:
        return f"<li>{text}</li>"
    return f"<li>{text}<ul>{''.join(map(_tree, children))}</ul></li>"


def _experts(model: Model) -> str:
    from ._core import Error

    try:
        mixture = model.mixture()
    except Error:
        return ""
    rows = "".join(
        f"<tr><td>{_escape(name)}</td><td>"
        f"<div style='background:#4a7ab5;height:.8em;width:{100 * max(0.0, weight):.1f}px'></div></td>"
        f"<td>{weight:.3f}</td><td>{load:.3f}</td><td>{trained}</td></tr>"
        for name, weight, load, trained in zip(mixture.names, mixture.weight, mixture.load, mixture.trained)
    )
    head = "<tr><th>expert</th><th colspan=2>weight</th><th>load</th><th>learned</th></tr>"
    return f"<table>{head}{rows}</table>"


def _counters(counters: dict[str, Any]) -> str:
    shown = [f"{_escape(name)} {value:,}" for name, value in counters.items() if value]
    return f"<p><small>{' &middot; '.join(shown) or 'nothing learned yet'}</small></p>"


def model_html(model: Model) -> str:
    """The tree of learners, the experts with their weights, the counters that are not 0."""
    features = model.n_features
    head = f"<b>{type(model).__name__}</b>, {features if features is not None else 'no'} features"
    return f"<div>{head}<ul>{_tree(model.expression)}</ul>{_experts(model)}{_counters(model.counters)}</div>"
