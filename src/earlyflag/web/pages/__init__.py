"""The pages: each turns one typed view into HTML."""

from earlyflag.web.pages import (
    about,
    alerts,
    assigning,
    audits,
    figures,
    flags,
    following,
    households,
    lookups,
    objections,
    packs,
    panel_overview,
    panels,
    people,
    signing,
    uploads,
    worktrays,
)

ROUTERS = (
    signing.router,
    worktrays.router,
    assigning.router,
    households.router,
    flags.router,
    following.router,
    lookups.router,
    objections.router,
    alerts.router,
    panel_overview.router,
    panels.router,
    packs.router,
    figures.router,
    audits.router,
    people.router,
    uploads.router,
    about.router,
)
"""Every router of pages."""
