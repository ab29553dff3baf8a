//! `just fuzz selector`; what is held is in `palisade_fuzz::selector`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::selector::run(data));
