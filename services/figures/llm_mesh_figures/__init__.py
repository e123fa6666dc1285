"""Figures that several services must compute and write alike: money, texts of streams, findings of screening. Pure functions."""
