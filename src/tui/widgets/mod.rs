//! Pieces that screens and dialogs are made of: each a plain value with its own keys and its own drawing on a `Canvas`.
//!
//! A widget knows nothing of the model, asks nothing and does nothing: whoever holds it hands it keys, reads what came of
//! them, and says where it is drawn. What does not live here: anything that knows what a vault is.

pub(crate) mod form;
