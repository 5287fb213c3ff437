"""Time splits, estimators, fit, calibrate, explain, score, registry."""
