# Made by .ci/stubs.py of objects.py: do not edit.


__all__ = ['OWN_COLUMNS']

def named_after(
    entry: str, # 'folder//suffix'
    image_path: str, # Of the photo
) -> str:
    "The annotation file of a photo, if all of a folder are named after their photos"

OWN_COLUMNS: tuple[str, ...]
