# Made by .ci/stubs.py of objects.py: do not edit.
import numpy as np

def positions_of(
    counts: np.ndarray, # (n,) objects of each row
    rows: np.ndarray, # (r,) row numbers
) -> np.ndarray | slice: # Of the objects of these rows, in the order of the rows
    "Positions of the objects of chosen rows among those of all rows"
