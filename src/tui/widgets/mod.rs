//! Pieces that screens and dialogs are made of: each a plain value with its own keys and its own drawing on a `Canvas`.
//!
//! `form` is a form of labelled values; `menu` a few lettered choices; `content` a file as text or bytes, `find` a text in it; `timeline` draws
//! moments in lanes, `calendar` a year of days, `outlook` months that were and will be; `bars` a part of a whole, `shares`
//! several. A widget knows nothing of the model, asks nothing and does nothing: whoever holds it hands it keys, reads what
//! came of them, and says where it is drawn. What does not live here: anything that knows what a vault is.

pub(crate) mod bars;
pub(crate) mod calendar;
pub(crate) mod content;
pub(crate) mod find;
pub(crate) mod form;
pub(crate) mod menu;
pub(crate) mod outlook;
pub(crate) mod shares;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod timeline;
