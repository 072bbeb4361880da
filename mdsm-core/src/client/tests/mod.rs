//! A network in small whose books are honest, and answers that are not.

mod acts;
mod answers;
mod tampered;
mod world;
