"""Fill forms in as a person does, by what stands on the page."""

from __future__ import annotations

from playwright.sync_api import Page


def fill_date(page: Page, name: str, day: str, month: str, year: str) -> None:
    """Enter a date in its three boxes."""
    page.fill(f"#{name}-day", day)
    page.fill(f"#{name}-month", month)
    page.fill(f"#{name}-year", year)


def choose(page: Page, name: str, value: str) -> None:
    """Choose a radio button or tick a box."""
    page.check(f'input[name="{name}"][value="{value}"]')


def save(page: Page) -> None:
    """Send the last form of the page."""
    page.click("main form:last-of-type button[type=submit]")
