"""The outside world: Stripe, Brevo and the vendors, in our words: it translates and does not decide."""
