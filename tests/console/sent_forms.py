"""Forms of pages as a browser without scripts sends them: each field with the value that stands in it."""

from html.parser import HTMLParser


class _FormReader(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.buttons = 0
        self._wanted = form_id
        self._inside = False
        self._text: str | None = None  # the name of the textarea that is open
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self._inside = given.get("id") == self._wanted
        if not self._inside:
            return
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values.setdefault(name, value)
        elif tag == "textarea":
            self._text, self.values[name] = name, ""
        elif tag == "select":
            self._select, self.values[name] = name, ""
        elif tag == "option" and "selected" in given:
            self.values[self._select] = value
        elif tag == "button" and "disabled" not in given and "form" not in given:
            self.buttons += 1

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self.values[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            self.values[self._text] = self.values[self._text].removeprefix("\n")
            self._text = None
        elif tag == "form":
            self._inside = False


def read_fields(page: str, form_id: str = "act") -> dict[str, str]:
    """The fields of a form of a page, with their values."""
    reader = _FormReader(form_id)
    reader.feed(page)
    return reader.values


def count_buttons(page: str, form_id: str = "act") -> int:
    """The buttons that send a form of a page."""
    reader = _FormReader(form_id)
    reader.feed(page)
    return reader.buttons
