"""Which column of a list of students is what, whatever program and language the list came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from proctor.intake.lms_file_names import safe_id
from proctor.intake.spreadsheet import Table

COLUMNS = (
    *("id", "first_name", "last_name", "email", "lms_user_id"),
    *("login", "id_number", "section", "tutor"),
)
"""What ``course/roster.csv`` says of a student; nbgrader keeps the first five."""

_TITLES: dict[str, tuple[str, ...]] = {
    "id": ("id", "student_id"),
    "login": (
        *(
            "login",
            "login_id",
            "sis_login_id",
            "username",
            "user_name",
            "user",
            "netid",
            "uniqname",
        ),
        *("anmeldename", "benutzername", "nutzername", "kennung", "benutzerkennung", "loginname"),
        *("nom_d_utilisateur", "identifiant", "nombre_de_usuario", "usuario", "nome_utente"),
        *("gebruikersnaam", "nome_de_usuario", "nazwa_uzytkownika", "anvandarnamn", "brukernavn"),
    ),
    "first_name": (
        *("first_name", "firstname", "given_name", "forename", "vorname", "prenom", "nombre"),
        *("nome", "voornaam", "imie", "fornamn", "fornavn", "etunimi", "nom_de_pila", "rufname"),
    ),
    "last_name": (
        *("last_name", "lastname", "surname", "family_name", "nachname", "familienname", "nom"),
        *("nom_de_famille", "apellido", "apellidos", "apellido_s", "cognome", "sobrenome"),
        *("apelido", "achternaam", "nazwisko", "efternamn", "etternavn", "sukunimi"),
    ),
    "name": (
        *("name", "full_name", "fullname", "student_name", "vollstandiger_name", "nom_complet"),
        *("nombre_completo", "nome_completo", "volledige_naam", "display_name"),
    ),
    "email": ("email", "e_mail", "mail", "email_address", "courriel", "correo", "e_post"),
    "lms_user_id": ("lms_user_id", "canvas_user_id", "canvas_id", "user_id", "userid"),
    "id_number": (
        *("id_number", "idnumber", "sid", "sis_user_id", "sis_id", "student_number", "id_nummer"),
        *("matrikelnummer", "matriculation_number", "numero_d_identification", "numero_de_id"),
    ),
    "section": (
        *("section", "sections", "group", "groups", "gruppe", "gruppen", "groupe", "groupes"),
        *("grupo", "grupos", "gruppo", "groep", "tutorium", "ubungsgruppe"),
    ),
    "tutor": ("tutor", "tutor_in", "ta", "marker", "grader", "betreuer", "betreuer_in"),
}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,40}|[a-z]{0,4}\d[a-z0-9._-]{0,40}")


def plain_title(title: str) -> str:
    """Reduce a column's title to lower-case ASCII words: ``Nom d'utilisateur`` and its like."""
    text = unicodedata.normalize("NFKD", title.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def find_columns(table: Table) -> dict[str, int]:
    """Tell which column is what, by its title or, for addresses and ids, by what it holds.

    Returns
    -------
    dict of str to int
        From a name of :data:`COLUMNS`, or ``name`` for first and last name in one, to its place.
    """
    titles = [plain_title(title) for title in table.columns]
    found: dict[str, int] = {}
    for name, known in _TITLES.items():
        place = next((titles.index(title) for title in known if title in titles), None)
        if place is not None and place not in found.values():
            found[name] = place
    if {"sis_login_id", "section", "id"} <= set(titles):  # Canvas: its ID is a number of its own
        found["lms_user_id"], found["login"] = titles.index("id"), titles.index("sis_login_id")
        found.pop("id")
        if "student" in titles:
            found["name"] = titles.index("student")
    if "email" not in found:
        by_title = [n for n, title in enumerate(titles) if re.search("mail|courriel|correo", title)]
        by_content = [n for n in range(len(titles)) if _share(table, n, _MAIL) > 0.8]
        place = next((n for n in (*by_title, *by_content) if n not in found.values()), None)
        if place is not None:
            found["email"] = place
    if "id" not in found:
        _find_ids(table, found)
    return found


def _find_ids(table: Table, found: dict[str, int]) -> None:
    """Take for ids what people log in with; else the only column that looks like it."""
    if "login" in found:
        found["id"] = found["login"]
        return
    free = [n for n in range(len(table.columns)) if n not in found.values()]
    likely = [n for n in free if _share(table, n, _LOGIN) == 1 and _distinct(table, n)]
    place = likely[0] if len(likely) == 1 else found.get("id_number", found.get("email"))
    if place is not None and _distinct(table, place):
        found["id"] = place


def _share(table: Table, place: int, pattern: re.Pattern[str]) -> float:
    values = table.values(place)
    return sum(bool(pattern.fullmatch(one)) for one in values) / len(values) if values else 0.0


def _distinct(table: Table, place: int) -> bool:
    values = table.values(place)
    return len({*values}) == len(values) and "" not in values


def person(row: tuple[str, ...], found: Mapping[str, int]) -> dict[str, str]:
    """Return what a row says of a student, by the names of :data:`COLUMNS`."""
    cells = {name: row[place].strip() if place < len(row) else "" for name, place in found.items()}
    full = cells.pop("name", "")
    if full and not cells.get("last_name"):
        cells["last_name"], cells["first_name"] = split_name(full)
    id = cells.get("id", "")
    if _MAIL.fullmatch(id) and safe_id(id) != id:
        cells.setdefault("email", id)
        cells["id"] = id.partition("@")[0]
    return cells


def split_name(full: str) -> tuple[str, str]:
    """Return the last and the first name of ``Lovelace, Ada`` or ``Ada Lovelace``."""
    if "," in full:
        last, _, first = full.partition(",")
    else:
        first, _, last = full.rpartition(" ")
    return last.strip(), first.strip()
