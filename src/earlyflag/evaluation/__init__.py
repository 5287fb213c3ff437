"""Capacity metrics, calibration, fairness, drift, pilot: pure functions."""
