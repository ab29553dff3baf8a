//! `just fuzz policy`; what is held is in `palisade_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::policy::run(data));
