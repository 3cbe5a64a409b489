"""The digest that names and compares things everywhere here, without loading all of OpenSSL first: that takes 2 ms."""

from __future__ import annotations

try:
    # What `hashlib` gives.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["blake2b"]
