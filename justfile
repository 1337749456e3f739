# Shorthands; each calls the real command, which can be typed as well.

# Everything, against the real parts (installs them first).
test *NAMES:
    ./test {{NAMES}}

# Unit, golden and whole-command tests; needs only cargo, a C compiler, make and perl.
quick *NAMES:
    ./test --quick {{NAMES}}

# The benchmark of docs/benchmarks.md, on a release build.
bench *ARGS:
    cargo build --release --locked
    python3 bench/run.py {{ARGS}}

# The same of Kubernetes objects, on a real API server (of the lab, or --kubeconfig).
bench-kubernetes *ARGS:
    cargo build --release --locked
    python3 bench/kubernetes.py {{ARGS}}

# Asks terraform anew for the answers that our own are compared with, then compares.
conformance:
    cargo test --locked --test all record_ -- --ignored --nocapture
    cargo test --locked conformance

# The tests that run for long; they are ignored otherwise. Then each fuzz target for ten minutes.
soak:
    cargo test --release --locked soak -- --ignored --nocapture
    fuzz/run 600

fmt:
    cargo fmt

lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
