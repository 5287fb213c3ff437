"""The page of machine keys: how messages to case systems stand."""

from __future__ import annotations

import re
from datetime import timedelta

from earlyflag.casework.desk import open_desk, system_actor
from earlyflag.casework.webhooks import (
    DECIDED,
    MOST_ATTEMPTS,
    announce,
    deliver,
    make_webhook,
)
from tests.web.borough import household_id
from tests.web.conftest import World, rules


def test_messages_that_were_given_up_are_counted_without_telling_whom_they_were_about(
    world: World,
) -> None:
    admin = world.browser("admin")
    assert "No case system is told of changes." in admin.get("/keys").text
    with open_desk(
        world.engine, system_actor("webhooks"), now=world.clock.now(), rules=rules()
    ) as desk:
        make_webhook(desk, "https://cases.example/hook/a-secret-path", [DECIDED])
        flags = [desk.unit.flags.of_household(household_id(rank))[0] for rank in (1, 2)]
        announce(desk, DECIDED, flags)
    for _ in range(MOST_ATTEMPTS):
        deliver(world.engine, lambda *_sent: 503, world.clock)
        world.clock.advance(timedelta(hours=7))
    page = world.browser("admin").get("/keys").text
    row = re.search(r"cases\.example.*?</tr>", page, re.DOTALL)
    assert row
    assert re.findall(r">\s*(\d+)\s*<", row.group(0)) == ["0", "0", "2"]
    assert "2 messages given up." in page
    assert "a-secret-path" not in page
    assert all(flag.household_id not in page for flag in flags)
