"""Stripe and Brevo played on this machine, so that the real SDKs run without keys; never in production.

Below the mount point: `/stripe` and `/brevo/v3` for the SDKs, `/`, `/checkout/<session>` and `/mailbox` for
people, `POST /faults` for tests.
"""

from portal.gateways.sandbox.app import SandboxSettings, build_sandbox

__all__ = ["SandboxSettings", "build_sandbox"]
