"""Rows that hold from one cut-off to another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

Row = tuple[Hashable, ...]


class Ledger:
    """Keeps for each owner the rows that hold now, and writes each down with its two ends.

    Attributes
    ----------
    closed : (owner, row, first index, index past the last; None while it still holds)
    """

    def __init__(self) -> None:
        self.closed: list[tuple[int, Row, int, int | None]] = []
        self._open: dict[int, dict[Row, int]] = {}

    def replace(self, owner: int, index: int, rows: Iterable[Row]) -> None:
        """State that from cut-off `index` on an owner has exactly these rows."""
        before = self._open.get(owner, {})
        after = dict.fromkeys(rows, index)
        for row, since in before.items():
            if row in after:
                after[row] = since
            elif since < index:
                self.closed.append((owner, row, since, index))
        if after:
            self._open[owner] = after
        else:
            self._open.pop(owner, None)

    def finish(self) -> None:
        """Write down the rows that still hold at the end."""
        for owner, rows in self._open.items():
            self.closed.extend((owner, row, since, None) for row, since in rows.items())
        self._open = {}

    def __iter__(self) -> Iterator[tuple[int, Row, int, int | None]]:
        return iter(self.closed)
