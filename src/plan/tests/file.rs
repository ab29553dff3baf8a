//! Sealing, reading and verifying plan files.
