# Made by .ci/stubs.py of objects.py: do not edit.
import numpy as np

def named_after(
    entry: str, # 'folder//suffix'
    image_path: str, # Of the photo
) -> str:
    "The annotation file of a photo, if all of a folder are named after their photos"

OWN_COLUMNS: tuple[str, ...]

def positions_of(
    counts: np.ndarray, # (n,) objects of each row
    rows: np.ndarray, # (r,) row numbers
) -> np.ndarray | slice: # Of the objects of these rows, in the order of the rows
    "Positions of the objects of chosen rows among those of all rows"
