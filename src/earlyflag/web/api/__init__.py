"""The JSON API, version 1: households, flags, scores, alerts, models, exports."""

from earlyflag.web.api import households, service

ROUTERS = (service.router, households.router)
"""Every router of the API, in the order of its documentation."""
