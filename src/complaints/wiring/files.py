"""Files and directories that the settings name, or that the program makes for itself."""

from pathlib import Path

from complaints.wiring.not_ready import NotReady


def make_directory(path: Path) -> None:
    """Make the data directory, for its user only, unless it exists. Raises NotReady."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"COMPLAINTS_DATA_DIR: cannot make the directory {path}: {error.strerror}.") from error


def read_text(path: Path, hint: str = "") -> str:
    """The text of a file in UTF-8. Raises NotReady, with `hint` for a file that cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        told = f" {hint}." if hint else ""
        raise NotReady(f"Cannot read {path}: {error.strerror}.{told}") from error
    except UnicodeDecodeError as error:
        raise NotReady(
            f"{path} is not text in UTF-8: byte {error.start + 1} does not belong there."
        ) from error
