"""Figures of a training: how loss and accuracy go over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from labkit.drawing import BLUE, GREY, ORANGE, panels, show
from labkit.messages import LabError


def _curve(history: dict[str, list[float]], word: str) -> tuple[list[float], list[float] | None]:
    name = next(key for key in history if word in key and not key.startswith("val_"))
    return history[name], history.get(f"val_{name}")


def plot_history(history: Any) -> None:
    """Show loss and accuracy over the epochs, on the training rows and on the held-out ones."""
    figure, both = panels(8, 2.9, 2)
    words = [w for w in ("loss", "acc") if any(w in key for key in history.history)]
    summary = []
    for axes, word in zip(both, words, strict=False):
        train, held_out = _curve(history.history, word)
        title = "loss" if word == "loss" else "accuracy"
        epochs = range(1, len(train) + 1)
        axes.plot(epochs, train, color=BLUE, linewidth=2, label="training rows")
        text = f"{title} {train[-1]:.3f} in training"
        if held_out:
            axes.plot(
                epochs, held_out, color=ORANGE, linewidth=2, linestyle="--", label="held-out rows"
            )
            best = int(np.argmin(held_out) if word == "loss" else np.argmax(held_out))
            text += f", {held_out[-1]:.3f} held out (best {held_out[best]:.3f}, epoch {best + 1})"
        summary.append(text)
        axes.set(xlabel="epoch", ylabel=title)
        axes.grid(alpha=0.3)
        axes.legend()
    show(
        figure,
        "Learning curves over the epochs: the solid line of the training rows keeps getting better, "
        "the dashed line of the held-out rows levels off.",
        f"After {len(history.epoch)} epochs: {'; '.join(summary)}.",
    )


def plot_curves(history: Any) -> None:
    """Show loss and accuracy over the epochs; the point where the validation loss turns is marked."""
    logged = history.history
    loss, val_loss = logged["loss"], logged.get("val_loss")
    words = ["loss", *[k for k in logged if "acc" in k and not k.startswith("val_")][:1]]
    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), words, strict=False):
        epochs = range(1, len(logged[name]) + 1)
        axes.plot(epochs, logged[name], color=BLUE, linewidth=2, label="training")
        if f"val_{name}" in logged:
            axes.plot(
                epochs,
                logged[f"val_{name}"],
                color=ORANGE,
                linewidth=2,
                linestyle="--",
                label="test",
            )
        axes.set(xlabel="epoch", ylabel="accuracy" if "acc" in name else "loss")
        axes.grid(alpha=0.3)
        if name == "loss" and val_loss:
            turn = int(np.argmin(val_loss))
            axes.plot(turn + 1, val_loss[turn], "o", color=ORANGE, markersize=9, fillstyle="none")
            axes.annotate(
                f"turns: epoch {turn + 1}",
                (turn + 1, val_loss[turn]),
                (0.35, 0.6),
                textcoords="axes fraction",
                arrowprops={"arrowstyle": "->", "color": GREY},
            )
        axes.legend(loc="upper right" if name == "loss" else "lower right")
    text = f"After {len(loss)} epochs the training loss is {loss[-1]:.4f}."
    if val_loss:
        turn = int(np.argmin(val_loss))
        text = (
            f"The test loss is lowest at epoch {turn + 1} ({val_loss[turn]:.3f}) and rises to "
            f"{val_loss[-1]:.3f}; the training loss falls on, to {loss[-1]:.4f}."
        )
    show(
        figure,
        "Learning curves: the training line keeps getting better; the dashed test line gets better, "
        "turns (marked by a ring), and gets worse in loss while its accuracy stands still.",
        text,
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
