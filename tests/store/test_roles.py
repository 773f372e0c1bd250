"""What a running process has to know, and what it had better not."""

from __future__ import annotations

from portal.config import read_settings

PRODUCTION = {
    "CANOPY_ENV": "production",
    "SECRET_KEY": "a-secret-for-tests-a-secret-for-tests",
    "CANOPY_BASE_URL": "https://portal.example.com",
    "DATABASE_URL": "postgresql://application@db/canopy",
    "REDIS_URL": "redis://queue:6379/0",
    "STRIPE_SECRET_KEY": "sk_live_made_up_for_tests",
    "STRIPE_WEBHOOK_SECRET": "whsec_made_up_for_tests",
    "BREVO_API_KEY": "made-up-for-tests",
}


def test_a_process_in_production_need_not_know_the_owner_of_the_tables() -> None:
    assert read_settings(PRODUCTION).production
