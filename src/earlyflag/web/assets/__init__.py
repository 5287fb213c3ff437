"""Builds the style sheet, scripts and fonts of the pages from pinned npm packages."""
