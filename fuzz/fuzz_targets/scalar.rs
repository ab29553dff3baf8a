//! `just fuzz scalar`; what is held is in `palisade_fuzz::scalar`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::scalar::run(data));
