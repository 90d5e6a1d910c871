"""The faces of the program, by the paths under which they stand."""

from collections.abc import Mapping

from complaints.api.faces import Face
from complaints.console import app as console
from complaints.tmf621 import app as tmf621


def open_faces() -> Mapping[str, Face]:
    """New applications of all faces."""
    return {console.PREFIX: Face(console.create_console()), tmf621.PREFIX: tmf621.create_face()}
