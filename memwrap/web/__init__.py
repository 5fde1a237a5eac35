"""Conversations on a page, live or as files.

Needs the extra ``web``.
"""
