//! Files to chunks to blobs: walking, metadata, excludes, the pipeline that stores a generation.
