//! Plans with one thing wrong each.
