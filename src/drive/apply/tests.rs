//! The loop against a scripted service.
