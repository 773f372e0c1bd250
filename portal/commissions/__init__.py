"""Cycles from open to closed: the projection while they run, the preview, the approvals, the close."""
