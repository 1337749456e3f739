//! Small things that people write and read as text, once for all rooms.
//!
//! In: text, or values of the standard library. Out: the other one. Not here: the language's values (`value`), and JSON.

pub mod duration;
