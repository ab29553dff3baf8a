//! Life cycle under a clock moved by hand.
