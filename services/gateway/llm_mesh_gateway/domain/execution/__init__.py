"""Carries out plans: an executor per kind of node, over one commit point and one settlement."""
