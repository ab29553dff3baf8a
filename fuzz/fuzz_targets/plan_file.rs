//! `just fuzz plan_file`; what is held is in `palisade_fuzz::plan_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| palisade_fuzz::plan_file::run(data));
