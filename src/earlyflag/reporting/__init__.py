"""Typed content in, documents out: model card, reports, packs."""
