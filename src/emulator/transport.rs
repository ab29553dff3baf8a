//! The emulator as a transport in process.
