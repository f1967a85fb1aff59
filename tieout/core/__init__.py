"""The vocabulary: entities, money, errors and ports. Imports nothing of tieout's."""
