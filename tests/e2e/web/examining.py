"""Look at a page as axe-core does, and at what it cannot see: what is too wide, what is cut off."""

from __future__ import annotations

import json
import re

from playwright.sync_api import ConsoleMessage, Page

from tests.e2e.web.conftest import needs_axe

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
    # only an experimental rule needs the style sheets fetched a second time
    "preload": False,
}
_OPENED = "document.querySelectorAll('details').forEach(one => { one.open = true })"
_SHOWN = "document.querySelector('main').innerHTML"
_TOO_WIDE = """() => {
  const found = []
  const wider = document.documentElement.scrollWidth - window.innerWidth
  if (wider > 1) found.push(`the page is ${wider} pixels wider than the window`)
  for (const svg of document.querySelectorAll('svg.ef-chart')) {
    const box = svg.getBoundingClientRect()
    for (const text of svg.querySelectorAll('text')) {
      const at = text.getBoundingClientRect()
      if (at.left < box.left - 1 || at.right > box.right + 1)
        found.push(`“${text.textContent}” does not fit into its drawing`)
      if (parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a < 14)
        found.push(`“${text.textContent}” is too small to read`)
    }
  }
  return found
}"""
_SIDEWAYS = """() => [...document.querySelectorAll('.ef-scroll')]
  .filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => `the table “${one.getAttribute('aria-label')}” scrolls sideways`)"""


class Examined:
    """A page in a browser, and everything that axe and the console said about it.

    Attributes
    ----------
    seen : what was examined at this width; a page built of the same elements for somebody else,
        only with other words, is opened and measured, but axe is not asked again
    """

    def __init__(self, page: Page, seen: set[str]) -> None:
        self.page = page
        self.found: list[str] = []
        self.seen = seen
        self.axe = needs_axe()
        self.heads: set[str] = set()
        size = page.viewport_size
        self.is_phone = size is not None and size["width"] < 640
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        # the browser reports a form that is shown again (422), and what is refused, as failed
        expected = {"401", "403", "404", "412", "422"}
        if said.type == "error" and not expected & set(re.findall(r"\d+", said.text)):
            self.found.append(f"console: {said.text}")

    def _is_new(self) -> bool:
        shown = re.sub(r'\b(value|href|action)="[^"]*"', "", self.page.evaluate(_SHOWN))
        shown = re.sub(r">[^<]*[^<\s][^<]*<", ">text<", shown)
        head = self.page.evaluate("document.querySelector('header').innerText")
        is_new = shown not in self.seen or head not in self.heads
        self.seen.add(shown)
        self.heads.add(head)
        return is_new

    def check(self, name: str) -> None:
        """Open what is folded away, measure, and ask axe if nobody was shown the like before."""
        is_new = self._is_new()
        self.page.evaluate(_OPENED)
        self.found += [f"{name}: {one}" for one in self.page.evaluate(_TOO_WIDE)]
        if self.is_phone:
            self.found += [f"{name}: {one}" for one in self.page.evaluate(_SIDEWAYS)]
        if not is_new:
            return
        # evaluated through the debugger, which the pages' content security policy lets pass
        self.page.evaluate(self.axe)
        result = self.page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
        for one in result["violations"]:
            nodes = "; ".join(node["html"][:160] for node in one["nodes"][:3])
            self.found.append(f"{name}: {one['id']}: {one['help']}: {nodes}")
