"""Admission: whether a rendered request may go on, and within which bounds."""
