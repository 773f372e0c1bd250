"""How fast the engine is, as ratios that anybody can measure again: `make bench`."""
