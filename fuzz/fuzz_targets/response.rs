//! `just fuzz response`; what is held is in `palisade_fuzz::response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::response::run(data));
