"""The spine, point-in-time features, labels, evidence and the feature catalogue."""
