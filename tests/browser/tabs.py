"""A tab of a browser that notices faults: in scripts, in policies, in layout, and in accessibility."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, Response

PHONES = (320, 360)
DESKTOP = 1280
_STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_SERIOUS = ("serious", "critical")
_RUN_AXE = """async standards => {
  const found = await axe.run(document, {runOnly: standards});
  return found.violations.map(one => ({
    id: one.id, impact: one.impact, help: one.help, where: one.nodes.map(node => node.html.slice(0, 120)),
  }));
}"""
# An element is cut if it ends outside the window, or if its text is larger than the box that hides the rest.
_FIND_CUT = """() => {
  const width = document.documentElement.clientWidth, cut = [];
  if (document.documentElement.scrollWidth > width) cut.push("the page scrolls sideways");
  for (const one of document.body.querySelectorAll("*")) {
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (box.width === 0 || style.visibility === "hidden" || one.matches(".skip, .unseen")) continue;
    const name = one.outerHTML.slice(0, 80);
    if (box.right > width + 1 || box.left < -1) cut.push(`outside the window: ${name}`);
    const hides = style.overflowX !== "visible";
    if (hides && one.scrollWidth > one.clientWidth + 1) cut.push(`cut sideways: ${name}`);
    if (style.overflowY === "hidden" && one.scrollHeight > one.clientHeight + 1) cut.push(`cut below: ${name}`);
  }
  return cut;
}"""
_SMALLEST_TARGET = 24
# The label of an input is its target too, and so is the margin of a tick.
_FIND_SMALL_TARGETS = """least =>
  [...document.querySelectorAll("a, button, input:not([type=hidden]), textarea, select")]
  .filter(one => {
    if (one.matches(".skip, .unseen")) return false;
    const target = one.closest("label") ?? one, box = target.getBoundingClientRect(), style = getComputedStyle(one);
    const around = one.matches("[type=checkbox], [type=radio]") ? 2 * parseFloat(style.marginTop) : 0;
    return box.width > 0 && (box.width + around < least || box.height + around < least);
  })
  .map(one => one.outerHTML.slice(0, 120))"""


class Tab:
    """One tab. `faults` has every message of the console that warns, every failed request, and every other host."""

    def __init__(self, page: Page, axe: str, screenshots: Path) -> None:
        self.page = page
        self.faults: list[str] = []
        self.expected: set[int] = set()
        """The statuses of answers that the test means to get: Chromium reports each as an error."""
        self._axe = axe
        self._screenshots = screenshots
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_answer)

    def open_another(self) -> "Tab":
        """Another tab of the same browser. It notes its faults with those of this tab."""
        another = Tab(self.page.context.new_page(), self._axe, self._screenshots)
        another.faults, another.expected = self.faults, self.expected
        return another

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if any(f"status of {status} " in message.text for status in self.expected):
            return
        self.faults.append(f"{message.type}: {message.text}")

    def _note_failure(self, request: Request) -> None:
        """Note a failure. A navigation or a newer question ends what the page before still reads: that is none."""
        reads = request.method == "GET" or request.url.endswith("/advice")
        if reads and request.failure == "net::ERR_ABORTED":
            return
        self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _note_answer(self, answer: Response) -> None:
        """Note what came from another host than the page."""
        host = self.page.url.split("/")[2] if "://" in self.page.url else ""
        if host and answer.url.split("/")[2] != host:
            self.faults.append(f"another host: {answer.url}")

    def check(self, name: str) -> None:
        """Check layout and accessibility of the page as it is, and keep a screenshot with this name."""
        self.check_layout(name)
        violations = self.find_violations()
        assert violations == [], f"{name}: {violations}"

    def check_layout(self, name: str) -> None:
        """Check that nothing is cut and that targets are large enough, and keep a screenshot with this name."""
        self.keep_screenshot(name)
        cut = self.find_cut()
        assert cut == [], f"{name}: {cut}"
        small = self.find_small_targets()
        assert small == [], f"{name}: {small}"

    def keep_screenshot(self, name: str) -> None:
        """Keep a screenshot of the whole page with this name."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._screenshots / f"{name}.png", full_page=True, caret="initial")

    def find_small_targets(self) -> list[str]:
        """The links and controls that are too small to hit."""
        found: list[str] = self.page.evaluate(_FIND_SMALL_TARGETS, _SMALLEST_TARGET)
        return found

    def find_cut(self) -> list[str]:
        """The elements that a reader does not see whole."""
        found: list[str] = self.page.evaluate(_FIND_CUT)
        return found

    def find_violations(self, only: Sequence[str] = _STANDARDS) -> list[dict[str, Any]]:
        """What axe calls serious or critical. `evaluate` runs it: a page's policy would refuse a script element."""
        self.page.evaluate(self._axe)
        found = self.page.evaluate(_RUN_AXE, list(only))
        return [one for one in found if one["impact"] in _SERIOUS]

    def enlarge_text(self, percent: int) -> None:
        """Make text larger, as a reader sets it in the browser."""
        self.page.evaluate("size => { document.documentElement.style.fontSize = size }", f"{percent}%")
