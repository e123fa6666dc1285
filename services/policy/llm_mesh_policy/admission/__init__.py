"""Admission: whether a request may be planned, and within which bounds."""
