"""The audit for its readers: pages, verification, the daily head, retention by checkpoints."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import Engine

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.clock import LONDON, add_months
from earlyflag.core.errors import AuditBroken, SettingsInvalid
from earlyflag.core.home import write_atomically
from earlyflag.store.audit import GENESIS, AuditHead, AuditRecord, AuditTrail, Checkpoint, row_hash
from earlyflag.store.database import reading
from earlyflag.store.records import Alert

MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the whole audit found.

    Attributes
    ----------
    rows : rows checked
    first, last : the numbers of the first and last row that should be there
    findings : sentences, at most 20; none means that nothing was found
    cautions : what could not be checked, since what vouches for it was not at hand
    heads : exported heads that were at hand
    """

    rows: int
    first: int
    last: int
    head: AuditHead
    findings: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    heads: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Vouchers:
    """What vouches for the audit from outside the database: exported heads, a public key."""

    heads: tuple[AuditHead, ...] = ()
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """How many old rows of the audit went, and how many a legal hold kept."""

    deleted: int
    held_back: int


def read_audit(
    desk: Desk,
    *,
    before: int | None = None,
    limit: int = 50,
    household_id: str | None = None,
    actor_id: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[AuditRecord]:
    """Return a page of the audit, newest first; "who has looked at this household?" is one.

    Parameters
    ----------
    before : int or None
        The number of the last row of the page before this one.
    """
    check_may(desk.actor, Action.READ_AUDIT)
    detail = {"kind": "household" if household_id else "audit"}
    desk.unit.audit.append(desk.entry("read_audit", household_id=household_id, detail=detail))
    alerts = desk.unit.cases.of_household(Alert, household_id) if household_id else []
    return desk.unit.audit.page(
        before=before,
        limit=min(limit, 200),
        household_id=household_id,
        alert_ids=[alert.alert_id for alert in alerts],
        actor_id=actor_id,
        action=action,
        since=since,
        until=until,
    )


def verify_audit(
    engine: Engine, *, exported: Iterable[AuditHead] = (), public_key: str | None = None
) -> Verification:
    """Check every row of the audit against its hash, its neighbours, checkpoints and heads.

    Without exported heads, or without the key, less can be found: `cautions` says what.

    Parameters
    ----------
    exported : iterable of AuditHead
        Heads that were exported and kept outside the database: a chain that was rewritten as a
        whole, its end cut off or its beginning replaced, no longer meets them.
    public_key : str or None
        The key that checkpoints must be signed with; None accepts the one they state.
    """
    heads = {one.sequence: one.hash for one in exported}
    with reading(engine) as connection:
        trail = AuditTrail(connection)
        head = trail.head()
        checkpoints = trail.checkpoints()
        findings = [
            f"The checkpoint through row {one.through_sequence} is not signed by the right key."
            for one in checkpoints
            if not _is_signed(one, public_key)
        ]
        walk = _Walk(checkpoints, heads)
        for record in trail.rows():
            walk.step(record)
        walk.end(head)
    findings += walk.findings
    return Verification(
        rows=walk.rows,
        first=walk.first,
        last=head.sequence,
        head=head,
        findings=tuple(findings[:MOST_FINDINGS]),
        cautions=_cautions(heads, head, has_unvouched=bool(checkpoints) and public_key is None),
        heads=len(heads),
    )


def _cautions(heads: dict[int, str], head: AuditHead, *, has_unvouched: bool) -> tuple[str, ...]:
    """Say what a check could not tell for want of something outside the database."""
    said = []
    if not heads:
        said.append(
            "No exported head was at hand: a chain that was written anew as a whole, or whose "
            "end was cut off together with its head, would not be found. "
            "Run `earlyflag audit head` daily and keep its file elsewhere."
        )
    elif (newest := max(heads)) < head.sequence:
        said.append(
            f"The newest exported head is of row {newest:,}: rows after it are vouched for by "
            "the chain inside the database alone."
        )
    if has_unvouched:
        said.append(
            "No public key was at hand: checkpoints were accepted under the key that they state "
            "themselves, so that a beginning cut off with another key would not be found."
        )
    return tuple(said)


class _Walk:
    """Goes along the chain and writes down what does not fit."""

    def __init__(self, checkpoints: list[Checkpoint], exported: dict[int, str]) -> None:
        self.findings: list[str] = []
        self.rows = 0
        self._checkpoints = {one.through_sequence: one.through_hash for one in checkpoints}
        self._exported = exported
        self._unmet = set(exported)
        self._at, self._hash = 0, GENESIS
        self.first = 1

    def step(self, record: AuditRecord) -> None:
        """Check one row."""
        if record.sequence < 1:
            self.rows += 1
            self.findings.append(f"Row {record.sequence} stands before the first one.")
            return
        if self._at == 0 and record.sequence > 1:
            self._begin_after_checkpoint(record)
        self.rows += 1
        if record.sequence != self._at + 1:
            gap = f"{self._at + 1} to {record.sequence - 1}"
            self.findings.append(f"Rows {gap} are missing.")
        elif record.previous_hash != self._hash:
            self.findings.append(f"Row {record.sequence} does not follow the row before it.")
        digest = row_hash(record.sequence, record, record.detail, record.previous_hash)
        if digest != record.hash:
            self.findings.append(f"Row {record.sequence} was changed.")
        self._meet(record.sequence, record.hash)
        self._at, self._hash = record.sequence, record.hash

    def _begin_after_checkpoint(self, record: AuditRecord) -> None:
        """Accept a beginning that a signed checkpoint vouches for."""
        before = record.sequence - 1
        if before in self._checkpoints:
            self._at, self._hash = before, self._checkpoints[before]
            self._unmet -= {number for number in self._unmet if number < before}
            self._meet(before, self._hash)
            self.first = record.sequence

    def _meet(self, sequence: int, digest: str) -> None:
        expected = self._exported.get(sequence)
        if expected is not None and expected != digest:
            self.findings.append(f"Row {sequence} is not the one whose head was exported.")
        self._unmet.discard(sequence)
        stated = self._checkpoints.get(sequence)
        if stated is not None and stated != digest:
            self.findings.append(f"Row {sequence} is not the one its checkpoint states.")

    def end(self, head: AuditHead) -> None:
        """Check that the chain ends where its head says."""
        if self.rows == 0 and head.sequence in self._checkpoints:
            self._at, self._hash = head.sequence, self._checkpoints[head.sequence]
            self._unmet -= {number for number in self._unmet if number < head.sequence}
            self._meet(self._at, self._hash)
        if (self._at, self._hash) != (head.sequence, head.hash):
            self.findings.append(
                f"The chain ends at row {self._at}, but its head says {head.sequence}."
            )
        if self._unmet:
            missing = max(self._unmet)
            self.findings.append(f"Row {missing}, whose head was exported, is not in the chain.")


def _is_signed(checkpoint: Checkpoint, public_key: str | None) -> bool:
    if public_key is not None and checkpoint.public_key != public_key:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(checkpoint.public_key))
        key.verify(base64.b64decode(checkpoint.signature), checkpoint.signed_text())
    except (InvalidSignature, ValueError):
        return False
    return True


def check_audit(
    engine: Engine, *, exported: Iterable[AuditHead] = (), public_key: str | None = None
) -> Verification:
    """Return the verification of a sound audit.

    Raises
    ------
    AuditBroken
        With what was found.
    """
    found = verify_audit(engine, exported=exported, public_key=public_key)
    if not found.is_sound:
        raise AuditBroken(
            f"The audit is not as it was written: {len(found.findings)} findings in "
            f"{found.rows:,} rows. {' '.join(found.findings)} "
            "Keep a copy of the database as it is and tell the data protection officer."
        )
    return found


def export_head(engine: Engine, file: Path, *, now: datetime) -> AuditHead:
    """Add the audit's head of this moment to a file, one line a head; run daily.

    Keep the file where the database's administrators cannot write.
    """
    with reading(engine) as connection:
        head = AuditTrail(connection).head()
    lines = file.read_text().splitlines() if file.is_file() else []
    lines.append(f"{now.isoformat()} {head.sequence} {head.hash}")
    write_atomically(file, "\n".join(lines) + "\n")
    return head


def read_vouchers(heads: Path, public_key: Path, *, stated: Iterable[Path | None] = ()) -> Vouchers:
    """Return what vouches for the audit, as far as the files are there.

    Parameters
    ----------
    stated : files that somebody named, in the settings or on the command line

    Raises
    ------
    SettingsInvalid
        A file that somebody named is not there.
    """
    for file in stated:
        if file is not None and not file.is_file():
            raise SettingsInvalid(
                f"{file.name}, named as what vouches for the audit, is not there. "
                "Bring it back from where it is kept, then check again."
            )
    return Vouchers(
        heads=tuple(read_heads(heads)) if heads.is_file() else (),
        public_key=public_key.read_text().strip() if public_key.is_file() else None,
    )


def read_heads(file: Path) -> list[AuditHead]:
    """Return the heads that `export_head` wrote to a file.

    Raises
    ------
    AuditBroken
        A line is not one of ours.
    """
    heads = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        parts = line.split()
        if len(parts) != 3 or not parts[1].isdigit() or len(parts[2]) != 64:
            raise AuditBroken(f"{file.name}: line {number} is not an exported head.")
        heads.append(AuditHead(int(parts[1]), parts[2]))
    return heads


def signing_key(file: Path) -> Ed25519PrivateKey:
    """Return the key that signs checkpoints, made and written (for the owner only) if it is new."""
    if file.is_file():
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(file.read_text()))
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    write_atomically(file, base64.b64encode(raw).decode() + "\n")
    file.chmod(0o600)
    return key


def write_public_key(key: Ed25519PrivateKey, file: Path) -> None:
    """Write the public half of a key, for those who verify without holding the key."""
    text = public_key_of(key) + "\n"
    if not file.is_file() or file.read_text() != text:
        write_atomically(file, text)


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key as text."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def end_stretch(desk: Desk, *, months: int, key: Ed25519PrivateKey | None) -> Stretch:
    """Sign the end of the stretch older than `months` and delete its rows; return how many.

    The chain can only be cut at its beginning, so the first row that tells of a household under
    a legal hold keeps all that follow. Without a key nothing is deleted, and counted alone. On
    PostgreSQL only the owner of the tables can do this, not the application's role.
    """
    check_may(desk.actor, Action.RETAIN)
    trail = desk.unit.audit
    limit = datetime.combine(add_months(desk.today, -months), time(0), LONDON)
    held = desk.unit.suppressions.under_legal_hold(desk.today)
    last, count, held_back = trail.stretch_before(limit, held)
    if last is None or key is None:
        return Stretch(count, held_back)
    unsigned = Checkpoint(last.sequence, last.hash, count, desk.now, public_key_of(key), "")
    signature = base64.b64encode(key.sign(unsigned.signed_text())).decode()
    detail = {"through": last.sequence, "deleted": count}
    trail.add_checkpoint(
        replace(unsigned, signature=signature), desk.entry("audit_checkpoint", detail=detail)
    )
    trail.delete_through(last.sequence)
    return Stretch(count, held_back)
