//! The engine against a scripted world.
