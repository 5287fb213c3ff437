"""Scores read at the same moment: checked each by its own rules, audited in one unbroken chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from earlyflag import casework
from earlyflag.casework.desk import open_desk, system_actor
from earlyflag.store.terms import Scope
from earlyflag.store.units import begin
from earlyflag.web.api.schemas import ScoreOut
from tests.web.borough import COUNT, SAFE_CONTACT, household_id
from tests.web.conftest import World, rules


def make_key(world: World, *scopes: Scope, stop_at: int = 1_000) -> tuple[str, str]:
    """Return a machine's secret and the key's reference."""
    system = system_actor("tests")
    with open_desk(world.engine, system, now=world.clock.now(), rules=rules()) as desk:
        secret, key = casework.make_key(
            desk, "case system", scopes, lookups_alert_at=1_000, lookups_stop_at=stop_at
        )
    return secret, key.key_id


def read(world: World, secret: str, rank: int) -> tuple[int, dict[str, object]]:
    answer = world.client().get(
        f"/api/v1/households/{household_id(rank)}/score",
        headers={"Authorization": f"Bearer {secret}"},
    )
    return answer.status_code, answer.json()


def test_scores_read_at_once_each_leave_their_row_in_the_chain(world: World) -> None:
    secret, key_id = make_key(world, Scope.HOUSEHOLDS_READ)
    ranks = list(range(1, COUNT + 1))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda rank: read(world, secret, rank), ranks))
    hidden = {SAFE_CONTACT}
    for rank, (status, body) in zip(ranks, answers, strict=True):
        assert status == (404 if rank in hidden else 200), (rank, body)
        if status == 200:
            assert ScoreOut.model_validate(body).household_id == household_id(rank)
    with begin(world.engine) as unit:
        rows = [row for row in unit.audit.rows() if row.actor_id == key_id]
    reads = sorted(str(row.household_id) for row in rows if row.action == "read_score")
    assert reads == sorted(household_id(rank) for rank in ranks if rank not in hidden)
    assert casework.verify_audit(world.engine).is_sound


def test_a_revoked_key_ends_at_once_though_it_came_a_moment_ago(world: World) -> None:
    secret, key_id = make_key(world, Scope.HOUSEHOLDS_READ)
    assert read(world, secret, 1)[0] == 200
    with open_desk(
        world.engine, system_actor("tests"), now=world.clock.now(), rules=rules()
    ) as desk:
        casework.revoke_key(desk, key_id)
    assert read(world, secret, 1)[0] == 401
    answer = world.client().get("/api/v1/flags", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code in (401, 403)


def test_the_limit_of_lookups_holds_for_reads_at_once(world: World) -> None:
    secret, _ = make_key(world, Scope.HOUSEHOLDS_READ, stop_at=10)
    ranks = [rank for rank in range(1, 25) if rank != SAFE_CONTACT]
    with ThreadPoolExecutor(8) as pool:
        answers = [status for status, _ in pool.map(lambda r: read(world, secret, r), ranks)]
    assert answers.count(200) == 10
    assert answers.count(429) == len(ranks) - 10
