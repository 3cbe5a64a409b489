"""The names of sync actions."""

MANIFEST_FETCH = "manifest.fetch"
SESSION_UPLOAD = "session.upload"
SYNC_TRIGGER = "sync.trigger"
SYNC_UPDATE = "sync.update"

SYNC_ACTIONS = (MANIFEST_FETCH, SESSION_UPLOAD, SYNC_TRIGGER, SYNC_UPDATE)
"""All actions that are shown as sync activity. A list, not the prefix `sync.`: what a later server logs
under a new name stays out until someone decided that it belongs here."""
