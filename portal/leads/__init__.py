"""People who may become customers: taken once, worked by one consultant, left alone where they ask for it."""
