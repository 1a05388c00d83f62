"""Whose submission is it? The names that learning platforms write, looked up in the roster.

Canvas gives its own number of the user and the name without blanks; Moodle the full name and a number
that means something in one assignment only; Blackboard the login; Gradescope name, student id and
e-mail. A match must be the only one; what fits two people fits nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from rapidfuzz import fuzz, process

from proctor.submission import Handed, Owner

LEAST_LIKENESS = 60.0
"""Least likeness, of 100, of a candidate that is worth naming."""

Person = Mapping[str, str]
"""What the roster says of a student, by the names of :data:`proctor.record.roster_columns.COLUMNS`."""


def squash(text: str) -> str:
    """Reduce a name to what every system keeps of it: small letters and digits, no accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


class Directory:
    """The roster, by everything by which a student may be known."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = {one["id"]: one for one in people}
        self.ids = _index((unicodedata.normalize("NFC", id), id) for id in self.people)
        self.logins = _index(self._logins())
        self.emails = _index(
            (one["email"].casefold(), id) for id, one in self.people.items() if one.get("email")
        )
        self.numbers = _index(
            (one[key], id)
            for id, one in self.people.items()
            for key in ("lms_user_id", "id_number")
            if one.get(key)
        )
        self.names = _index(self._names())

    def _logins(self) -> Iterator[tuple[str, str]]:
        for id, one in self.people.items():
            for login in {id, one.get("login", ""), one.get("email", "").partition("@")[0]} - {""}:
                yield login.casefold(), id

    def _names(self) -> Iterator[tuple[str, str]]:
        for id, one in self.people.items():
            first, last = one.get("first_name", ""), one.get("last_name", "")
            for name in {squash(first + last), squash(last + first)} - {""}:
                yield name, id

    def find(self, handed: Handed) -> str | None:
        """Return the id of the student whose submission it is; None if nobody is, or several are."""
        for known in (handed.original, handed.student):
            if found := _only(self.ids, unicodedata.normalize("NFC", known)):
                return found
        owner = handed.owner or Owner(handed.original)
        ways = {
            "canvas": self._canvas,
            "moodle": self._moodle,
            "blackboard": self._blackboard,
            "gradescope": self._gradescope,
        }
        return ways.get(owner.system, self._by_any)(owner)

    def _canvas(self, owner: Owner) -> str | None:
        return _only(self.numbers, owner.number) or _only(self.names, squash(owner.name))

    def _moodle(self, owner: Owner) -> str | None:
        """By name; a number that fits counts only where the roster has no name to the contrary."""
        for name in (owner.name, owner.name.rpartition("-")[2]):  # with groups: Group-First Last
            if found := _only(self.names, squash(name)):
                return found
        found = _only(self.numbers, owner.number)
        named = found and (
            self.people[found].get("first_name") or self.people[found].get("last_name")
        )
        return None if named else found

    def _blackboard(self, owner: Owner) -> str | None:
        """By login, which may hold underscores as the assignment's name before it does."""
        parts = owner.name.split("_")
        for start in range(len(parts)):
            if found := _only(self.logins, "_".join(parts[start:]).casefold()):
                return found
        return None

    def _gradescope(self, owner: Owner) -> str | None:
        return (
            _only(self.emails, owner.email.casefold())
            or _only(self.ids, owner.number)
            or _only(self.numbers, owner.number)
            or _only(self.logins, owner.email.partition("@")[0].casefold())
            or _only(self.names, squash(owner.name))
        )

    def _by_any(self, owner: Owner) -> str | None:
        text = owner.student
        return (
            _only(self.emails, text.casefold())
            or _only(self.logins, text.casefold())
            or _only(self.numbers, text)
            or _only(self.names, squash(text))
        )

    def nearest(self, handed: Handed) -> str:
        """Return the id of whose name or login is most like what was found; or ''."""
        owner = handed.owner or Owner(handed.original)
        wanted = {squash(text) for text in (owner.name, handed.original, owner.email)} - {""}
        best, likeness = "", LEAST_LIKENESS
        for one in sorted(wanted):
            found = process.extractOne(
                one, self.written[0], scorer=fuzz.ratio, score_cutoff=likeness
            )
            if found is not None:
                best, likeness = self.written[1][found[2]], found[1]
        return best

    def namesakes(self, handed: Handed) -> list[str]:
        """Return the ids of those who share the name under which it was handed in, where several do."""
        owner = handed.owner or Owner(handed.original)
        for name in (owner.name, owner.name.rpartition("-")[2], owner.student):
            found = self.names.get(squash(name), set())
            if len(found) > 1:
                return sorted(found)
        return []

    @cached_property
    def written(self) -> tuple[list[str], list[str]]:
        """Everything by which somebody is written, and beside it whose it is."""
        pairs = [(text, id) for id in self.people for text in self._written(id)]
        return [text for text, _ in pairs], [id for _, id in pairs]

    def _written(self, id: str) -> Iterator[str]:
        one = self.people[id]
        first, last = one.get("first_name", ""), one.get("last_name", "")
        for text in (id, one.get("login", ""), one.get("email", ""), first + last, last + first):
            if text:
                yield squash(text)

    def shown(self, id: str) -> str:
        """Return an id, and the name where there is one."""
        one = self.people[id]
        name = f"{one.get('first_name', '')} {one.get('last_name', '')}".strip()
        return f"{id} ({name})" if name else id


_Index = dict[str, set[str]]


def _index(pairs: Iterable[tuple[str, str]]) -> _Index:
    index: _Index = defaultdict(set)
    for key, id in pairs:
        index[key].add(id)
    return dict(index)


def _only(index: _Index, key: str) -> str | None:
    found = index.get(key, set()) if key else set()
    return next(iter(found)) if len(found) == 1 else None
