"""The layers of a model in the order in which an input goes through them, if it is a chain."""

from __future__ import annotations

from typing import Any

from .errors import ExplorerError

ADVICE = (
    "The explorer shows chains: each layer takes what the one before it gives, and nothing else."
)


def chain_of(model: Any) -> list[Any]:
    """Return the layers, those of models inside the model included.

    Raises
    ------
    ExplorerError
        If there are none, or if the model is no chain; the message names the layer.
    """
    layers = list(getattr(model, "layers", None) or [])
    if not layers:
        raise ExplorerError(
            f"This {type(model).__name__} has no layers. Give a Keras Sequential model that has "
            "been built: start it with Input(shape=...), or train it first."
        )
    kind = type(model).__name__
    if kind == "Functional":
        _check_graph(model)
    elif kind not in ("Sequential", "Model") and hasattr(model, "get_config"):
        raise ExplorerError(
            f"{kind} is a model of your own class: what its call() does with the layers cannot be read. "
            f"Build it with keras.Sequential or keras.Model(inputs, outputs). {ADVICE}"
        )
    if len({id(layer) for layer in layers}) < len(layers):
        raise ExplorerError(f"A layer stands in the model twice. {ADVICE}")
    return [
        part
        for layer in layers
        for part in (chain_of(layer) if getattr(layer, "layers", None) else [layer])
    ]


def _check_graph(model: Any) -> None:
    """Refuse a functional model in which the ways part, join, or pass a layer twice."""
    config = model.get_config()
    for ends, what in (("input_layers", "inputs"), ("output_layers", "outputs")):
        count = _ends(config[ends])
        if count != 1:
            raise ExplorerError(f"The model has {count} {what}. {ADVICE}")
    taken: dict[str, str] = {}
    for entry in config["layers"]:
        calls = entry["inbound_nodes"]
        if len(calls) > 1:
            raise ExplorerError(f"Layer “{entry['name']}” is used {len(calls)} times. {ADVICE}")
        sources = _sources(calls)
        if len(sources) > 1:
            raise ExplorerError(
                f"Layer “{entry['name']}” takes what {len(sources)} layers give: "
                f"{', '.join(sources)}. {ADVICE}"
            )
        for source in sources:
            if source in taken:
                raise ExplorerError(
                    f"What layer “{source}” gives goes to two layers, “{taken[source]}” and "
                    f"“{entry['name']}”. {ADVICE}"
                )
            taken[source] = entry["name"]


def _ends(given: Any) -> int:
    """How many inputs or outputs; a single one may stand without a list around it."""
    return 1 if given and isinstance(given[0], str) else len(given)


def _sources(part: Any) -> list[str]:
    """Names of the layers whose output a call takes, in Keras's description of it."""
    if isinstance(part, dict):
        if part.get("class_name") == "__keras_tensor__":
            return [str(part["config"]["keras_history"][0])]
        return [name for value in part.values() for name in _sources(value)]
    if isinstance(part, (list, tuple)):
        return [name for value in part for name in _sources(value)]
    return []
