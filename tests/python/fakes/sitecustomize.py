"""Puts the pretended agent in place before anything else runs, in pytest-xdist's workers too."""

import _refloop  # noqa: F401
