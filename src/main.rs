//! The `coffer` program: parse, hand over.

fn main() {}
