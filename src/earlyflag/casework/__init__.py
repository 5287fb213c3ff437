"""Flags, reviews, decisions, outcomes, access and audit: the rules and the service."""
