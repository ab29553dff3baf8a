//! The loopback socket in front of the emulator.
