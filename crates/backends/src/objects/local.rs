//! Local buckets.
