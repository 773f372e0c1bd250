"""Plans of pay: their versions, drafts and fields, checks before they begin, and trials."""
