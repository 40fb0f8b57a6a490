# Made by .ci/stubs.py of error_log.py: do not edit.
import numpy as np

class ErrorLog:
    "Counts errors by fault, and remembers which paths and rows had one, across all processes that use it"
    def __init__(self) -> None: ...
    def add(self,
        fault: str, # A key of `FAULTS`; any other counts as 'other'
        path: str, # The image
        row: int = -1, # Row of the metadata file; -1 if it has none
    ) -> bool: # Whether this is the first error of the path, in any process
        "Count an error"
    def rows(self) -> np.ndarray: # (n,) int64, sorted
        "Rows that had an error"
    def counts(self) -> dict:
        "Fault to number of errors, leaving out zeros"
