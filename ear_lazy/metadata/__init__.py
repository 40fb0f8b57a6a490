from .file import Metadata as Metadata
from .layout import SHARD_BYTES as SHARD_BYTES
