# Made by .ci/stubs.py of roots.py: do not edit.
from typing import Any

LEVELS_UP: int

def is_near(
    root: str, # As recorded
    folder: str, # Of the metadata file, absolute
) -> bool:
    "Whether a recorded root is near its file"

def recorded_root(
    npy_path: str, # Metadata file; links are followed
    root: str, # As recorded
    anywhere: bool = False, # Accept any root
) -> str: # Absolute
    "Folder of the images; raises `MetadataError` if a file made elsewhere points far away"

def real_root(
    root: str, # Absolute
) -> str:
    "Path of a folder without links, spelled as the system spells the paths of open files"

def check_near(
    npy_path: str, # Metadata file
    root: str, # Where its recorded root really is: absolute, without links
) -> None:
    "Raises `MetadataError` if the root of a file made elsewhere is far away"

REMEMBERED_FOLDERS: int

class RootGuard:
    "Checks that image paths stay inside the image root, links followed"
    root: str
    npy_path: str
    real: Any
    def __init__(self,
        root: str, # Image root, absolute
        npy_path: str, # Metadata file
        real: str | None = None, # Where the root was when the dataset was opened; None: where it is now
    ) -> None: ...
    def check(self,
        name: str, # Path of an image relative to the root
    ):
        "Raises `MetadataError` if a name leads outside; to be called before an image is opened"
    def check_opened(self,
        name: str, # Path of an image relative to the root
        fd: int, # Descriptor of the image
    ) -> None:
        "Raises `MetadataError` if the file that was opened lies outside; to be called before it is read"
    def holds(self,
        fd: int, # Descriptor of a folder
    ) -> bool: # False also where that is not known
        "Whether an open folder is the root or below it; what is no link in it is inside, too"
    @property
    def scope(self) -> bytes:
        "What it lets through, as a part of a key: where the root is, and the folders outside that links may lead to"

def image_root(
    root: str, # Folder that image paths are relative to
    output_dir: str, # Folder of the metadata files
) -> str:
    "`root` relative to `output_dir`, as the files record it, or absolute if no relative path exists; a URL without its user, password and signature; a root that is a link stays one"
