//! The full-screen interface: a pure update and view over the engine.
