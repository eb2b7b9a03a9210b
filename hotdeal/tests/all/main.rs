//! The all-in-one program as its users meet it.
//!
//! - `one_process`: the shop as a whole. `refusals`: what it does not start with. `kill`: what is left of it.
//! - `command_line`: every command. `readme`: those of the READMEs, as they stand there.
//! - `document`: the interface is what its document says.
//! - `deployment`: containers, manifests and alerts fit the program.
//! - `shop`: a running shop, and its command line. `tools`: programs that setup installs.

mod command_line;
mod deployment;
mod document;
mod kill;
mod one_process;
mod readme;
mod refusals;
mod shop;
mod tools;
