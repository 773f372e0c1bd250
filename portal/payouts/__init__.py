"""Money on its way out: releases, withdrawals, batches, and the company's own payouts."""
