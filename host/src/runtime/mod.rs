//! From bytes to instances.
