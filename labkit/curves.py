"""Figures of a training: how loss and accuracy go over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from labkit.drawing import BLUE, GREY, ORANGE, panels, show
from labkit.messages import LabError


def plot_history(history: Any, held_out: str = "held-out rows") -> None:
    """Show loss and accuracy over the epochs, on the training part and on the one called `held_out`.

    A ring marks the epoch at which the loss on `held_out` is least.
    """
    logged = history.history
    names = [name for name in logged if not name.startswith("val_")]
    found = [next((name for name in names if word in name), "") for word in ("loss", "acc")]
    figure, both = panels(8, 2.9, 2)
    summary = []
    for axes, title, name in zip(both, ("loss", "accuracy"), found, strict=True):
        train, other = logged.get(name), logged.get(f"val_{name}")
        axes.set(xlabel="epoch", ylabel=title)
        axes.grid(alpha=0.3)
        if not train:
            continue
        epochs = range(1, len(train) + 1)
        axes.plot(epochs, train, color=BLUE, linewidth=2, label="training")
        text = f"{title} {train[-1]:.4f} in training"
        if other:
            axes.plot(epochs, other, "--", color=ORANGE, linewidth=2, label=held_out)
            best = int(np.argmin(other) if title == "loss" else np.argmax(other))
            text += f", {other[-1]:.4f} on {held_out} (best {other[best]:.4f}, epoch {best + 1})"
        if other and title == "loss":
            axes.plot(best + 1, other[best], "o", color=ORANGE, markersize=9, fillstyle="none")
            axes.annotate(
                f"least: epoch {best + 1}",
                (best + 1, other[best]),
                (0.35, 0.5),
                textcoords="axes fraction",
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
        axes.legend(loc="upper right" if title == "loss" else "lower right")
        summary.append(text)
    show(
        figure,
        f"Learning curves over the epochs: a solid line for the training part, a dashed one for {held_out}"
        "; a ring marks where its loss is least.",
        f"After {len(history.epoch)} epochs: {'; '.join(summary)}.",
    )


def plot_two_accuracies(history: Any) -> None:
    """Show, epoch by epoch, what a write-up would say if it reported the training accuracy."""
    name = next((k for k in history.history if "acc" in k and not k.startswith("val_")), None)
    if name is None or f"val_{name}" not in history.history:
        raise LabError(
            "deep_history holds no accuracies: compile the network with metrics=['accuracy'], and "
            "give fit its validation data."
        )
    train, test = (np.array(history.history[k]) for k in (name, f"val_{name}"))
    epochs = np.arange(1, len(train) + 1)
    figure = Figure(figsize=(6.4, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(epochs, test, train, color=GREY, alpha=0.25)
    axes.plot(epochs, train, color=BLUE, linewidth=2, label="training")
    axes.plot(epochs, test, color=ORANGE, linewidth=2, linestyle="--", label="test")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(max(0.85, test.min()), 1.003))
    axes.axhline(0.998, color=GREY, linestyle=":", linewidth=1)
    axes.text(epochs[-1], 0.9965, "99.8 %", ha="right", va="top", fontsize=9)
    axes.legend(loc="lower right")
    reached = np.flatnonzero(train >= 0.998)
    when = f"99.8 % in training from epoch {reached[0] + 1} on" if len(reached) else "below 99.8 %"
    show(
        figure,
        "Training and test accuracy over the epochs, the gap between them shaded: the training "
        "accuracy reaches 100 %, the test accuracy stops far below.",
        f"{when}; at the end {train[-1]:.2%} in training, {test[-1]:.2%} on test digits: "
        f"{100 * (train[-1] - test[-1]):.1f} points are memory, not reading.",
    )
