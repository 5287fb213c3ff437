"""The JSON API, version 1: households, flags, scores, alerts, models, exports."""

from earlyflag.web.api import alerts, exports, flags, households, models, scoring, service

ROUTERS = (
    households.router,
    scoring.router,
    flags.router,
    alerts.router,
    models.router,
    exports.router,
    service.router,
)
"""Every router of the API, in the order of its documentation."""
