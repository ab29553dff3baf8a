# Tasks for contributors; `just` lists them.

# Everything that must hold before a change lands
check:
    bash .ci/run

# The whole test suite
test:
    cargo test

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
