"""The judge's process: does what the driver asks."""

from __future__ import annotations

import contextlib
import os
import socket
import types
from typing import Any

from proctor.kernel.channel import Channel
from proctor.lift import name_owners
from proctor.lift.connection import Line, Server, in_child
from proctor.lift.judge import Judge
from proctor.lift.time_limit import PATIENCE


class Process(Server):
    """Does what the driver asks, over `control`; forks for what is to leave no trace."""

    def __init__(self, control: Line, talk: socket.socket | None) -> None:
        super().__init__(control)
        self.judge = Judge()
        self.judge.space.channel = None
        self.talk = None if talk is None else Channel(talk)
        self.told: list[str] | None = None  # the structures that the student's process knows of

    def do_setup(
        self,
        learning: bool,
        used: list[str],
        needed: list[str],
        shares_random: bool,
        shared: list[str],
        remote_modules: list[str],
    ) -> dict[str, Any]:
        """Begin: what the student's code reads, and what the reference run needed."""
        space = self.judge.space
        space.learning, space.used, space.shared = learning, set(used), set(shared)
        space.needed, space.shares_random = set(needed), shares_random
        space.remote_modules = set(remote_modules)
        return {}

    def do_given(
        self, source: str, name: str, changed: list[str], keep: list[int] | None
    ) -> dict[str, Any]:
        """Run a given cell."""
        ran = self.judge.given(source, name, changed, keep)
        return {"ran": ran, "theirs": sorted(self.judge.space.theirs), **self._structures()}

    def _structures(self) -> dict[str, Any]:
        return {"structures": sorted(self.judge.space.structures)}

    def do_theirs(self, names: list[str], sources: dict[str, str]) -> dict[str, Any]:
        """Learn what the student's cells define."""
        self.judge.space.forward(names)
        self.judge.space.sources.update(sources)
        return {"theirs": sorted(self.judge.space.theirs), **self._structures()}

    def do_inside(self, source: str, name: str, keep: list[int] | None) -> dict[str, Any]:
        """Take over what a test cell that was judged inside defines."""
        ran = self.judge.inside(source, name, keep)
        tree = name_owners.parse(source)
        bound = name_owners.binds_of(tree) if tree else set()
        return {"ran": ran, "theirs": sorted(self.judge.space.theirs), "binds": sorted(bound)}

    def do_judge(
        self,
        source: str,
        name: str,
        seconds: float,
        learning: bool,
        needed: list[str],
        used: list[str],
        forward: list[str],
        define: list[str],
        each: bool = False,
        trial: bool = False,
        carried: bool = False,
    ) -> dict[str, Any]:
        """Judge a test cell; as a trial, in a fork that is thrown away.

        Parameters
        ----------
        each : bool
            Whether every assertion is asked, though one before it did not hold.
        carried : bool
            Whether the line to the student came with the request, as it does for a trial.
        """
        line = Channel(self.control.take_socket()) if trial or carried else self.talk
        assert line is not None

        def run() -> dict[str, Any]:
            space = self.judge.space
            space.learning, space.needed = learning, set(needed)
            space.used |= set(used)
            self._begin(line, forward, define)
            outcome = self.judge.judge(source, name, seconds, each=each)
            outcome["needed"] = sorted(space.needed)
            if not trial:
                self.judge.after(source)
            with contextlib.suppress(Exception):
                assert space.channel is not None
                space.channel.send({"op": "bye"})
            space.channel = None
            space.forget()
            return outcome

        try:
            return in_child(run, PATIENCE * seconds + 5.0) if trial else run()
        finally:
            if line is not self.talk:
                line.close()

    def _begin(self, line: Channel, forward: list[str], define: list[str]) -> None:
        space = self.judge.space
        space.channel, space.lost = line, ""
        if line is not self.talk:
            space.random = None  # who is there may have heard nothing yet
        structures = sorted(space.structures - set(forward))
        if line is not self.talk or structures != self.told:  # a trial's student is a fork
            space.ask({"op": "structures", "names": structures})
            self.told = structures if line is self.talk else None
        for source in define:
            space.ask({"op": "define", "source": source})
        for name in forward:
            value = dict.get(space.names, name)
            if isinstance(value, types.ModuleType):
                space.remote_modules.add(value.__name__)
        space.forward(forward)


def main(control: socket.socket, talk: socket.socket | None = None) -> None:
    """Be a judge until the driver has gone."""
    os.environ["MPLBACKEND"] = "Agg"  # there is no shell that could show a figure
    Process(Line(control), talk).serve()
