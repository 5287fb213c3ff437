"""The pages: each turns one typed view into HTML."""

from earlyflag.web.pages import households, lookups, signing, worktrays

ROUTERS = (signing.router, worktrays.router, households.router, lookups.router)
"""Every router of pages."""
