# Tasks for contributors; `just` lists them.

# Everything that must hold before a change lands
check:
    bash .ci/run

# The whole test suite
test:
    cargo test

# New simulated lives for so many hours, or until one breaks a law: it is printed with its replay
sim HOURS="8" FROM="1000":
    SIM_NIGHT={{HOURS}} SIM_FROM={{FROM}} cargo test --release --test it sim::a_night -- --nocapture

# Rewrite expected output beside the fixtures, then read the difference
bless:
    BLESS=1 cargo test --test it
    git diff --stat

# Rewrite generated schemas and docs
gen:
    cargo run --quiet -- schema --write schemas
    BLESS=1 cargo test --test it generated

# The main job against the embedded emulator
demo:
    cargo run --release -- demo

# Speed and memory at scale, as ratios within one run
bench *ARGS:
    cargo bench --bench scale -- {{ARGS}}

# Fuzz one target (policy, selector, scalar, response, plan_file, journal) until it is stopped; `just fuzz policy -max_total_time=60`
fuzz TARGET *ARGS:
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none {{TARGET}} -- {{ARGS}}

# Thousands of small faults in selectors, readings, planning, guardrails and engine: which of them no test notices (hours);
# `just mutants guards/shrink` tries those whose name has a part. The copy it works in stays for the next time
mutants *ONLY:
    cargo run --quiet --manifest-path tools/mutants/Cargo.toml -- . "${MUTANTS_COPY:-target/mutants}" {{ONLY}}
