//! `just fuzz journal`; what is held is in `palisade_fuzz::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::journal::run(data));
