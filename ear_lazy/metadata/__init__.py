from .file import SHARD_BYTES as SHARD_BYTES, Metadata as Metadata
