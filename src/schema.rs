//! placeholder header: see ARCHITECTURE.md
