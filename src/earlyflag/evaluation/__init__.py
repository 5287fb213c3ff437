"""Pure functions that judge scores: ranking, calibration, fairness, drift, leakage."""
