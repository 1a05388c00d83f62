"""Exercise 2 of lab_mnist, the baseline: its public checks."""

from __future__ import annotations

from collections.abc import Callable

from labkit import networks
from labkit.networks import BASELINE, training, with_layers
from labkit.run_checks import Check
from labkit.student import Student


def _look(id: str, title: str, *looks: Callable[..., None]) -> Check:
    """Return a check of the network's description."""

    def body(student: Student) -> None:
        for look in looks:
            look(with_layers(student, BASELINE), BASELINE)

    return Check(f"baseline-{id}", title, body)


def _compiled(id: str, title: str, *looks: Callable[..., None]) -> Check:
    """Return a check of how the network was compiled."""

    def body(student: Student) -> None:
        for look in looks:
            look(training[BASELINE](student), BASELINE)

    return Check(f"baseline-{id}", title, body)


CHECKS = (
    _look("sequential", "a Sequential model", networks.is_sequential),
    _look("layers", "its layers and units", networks.layers, networks.units),
    _look("input", "the input", networks.input_length),
    _look("hidden", "the hidden layer", networks.hidden),
    _look("output", "the output layer", networks.output),
    _look("parameters", "parameters", networks.parameters),
    _compiled("loss", "the loss", networks.loss),
    _compiled("optimizer", "the optimizer, the metrics", networks.optimizer, networks.metrics),
)
